import { brotliCompressSync, gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import {
  answerJson,
  base,
  brief,
  checkValue,
  documentOf,
  get,
  openBodies,
  post,
  postJson,
} from '../../../test/support/contracts.ts'
import { openContract } from './open-contract.ts'
import type { Contract } from './types.ts'

const form = 'application/x-www-form-urlencoded'
const integer = { type: 'integer' }

/** What is wrong with a form that is posted to `/things`. */
function checkForm(contract: Contract, body: string): string[] {
  return brief(contract.checkRequest(post('/things', body, form)).violations)
}

test('JSON: its type, its text and what it says', async () => {
  const request = { type: 'object', required: ['amount'], properties: { amount: integer }, additionalProperties: false }
  const contract = await openBodies({ request })
  const check = (body: string | Buffer, type: string | undefined): string[] =>
    brief(contract.checkRequest(post('/things', body, type)).violations)
  expect(check('{"amount":5}', 'application/json; charset=utf-8')).toEqual([])
  expect(check('{"amount":"5"}', 'application/json')).toEqual(['body /amount type'])
  expect(check('{"amount":5,"extra":1}', 'application/json')).toEqual(['body /extra additionalProperties'])
  expect(check('{"amount":5', 'application/json')).toEqual(['body json'])
  expect(check('{"amount":5}', 'text/plain')).toEqual(['content-type content'])
  expect(check('{"amount":5}', undefined)).toEqual(['content-type content'])
  expect(check('{"amount":5}', 'json')).toEqual(['content-type content'])
  expect(check(Buffer.from([0x22, 0xff, 0x22]), 'application/json')).toEqual(['body charset'])
  expect(check('{"__proto__":{"amount":5}}', 'application/json')).toEqual([
    'body /amount required',
    'body /__proto__ additionalProperties',
  ])
})

test('a required body has to be there, one that nobody described must not', async () => {
  const responses = { 200: { description: '' } }
  const contract = await openContract(
    documentOf({
      '/things': {
        post: { requestBody: { required: true, content: { 'application/json': {} } }, responses },
        patch: { requestBody: { content: { 'application/json': {} } }, responses },
        delete: { responses },
      },
    }),
  )
  const check = (method: string, body?: string): string[] =>
    brief(contract.checkRequest({ ...post('/things', body ?? '', 'application/json'), method }).violations)
  expect(check('POST')).toEqual(['body required'])
  expect(check('PATCH')).toEqual([])
  expect(check('DELETE')).toEqual([])
  expect(check('DELETE', '{}')).toEqual(['body requestBody'])
})

test('a form with nested brackets, as Stripe’s SDK writes it, is typed by the schema', async () => {
  const request = {
    type: 'object',
    required: ['amount'],
    additionalProperties: false,
    properties: {
      amount: { type: 'integer', minimum: 50 },
      capture: { type: 'boolean' },
      currency: { type: 'string', enum: ['usd', 'eur'] },
      zip: { type: 'string' },
      rate: { type: 'number' },
      metadata: {
        anyOf: [
          { type: 'object', additionalProperties: { type: 'string' } },
          { type: 'string', enum: [''] },
        ],
      },
      expand: { type: 'array', items: { type: 'string' } },
      items: { type: 'array', items: { $ref: '#/components/schemas/Item' } },
      shipping: {
        type: 'object',
        required: ['name'],
        properties: {
          name: { type: 'string' },
          address: { type: 'object', properties: { line1: { type: 'string' } } },
        },
      },
      trial_end: { anyOf: [{ type: 'string', enum: ['now'] }, integer] },
    },
  }
  const components = {
    Item: { type: 'object', properties: { price: { type: 'string' }, quantity: integer }, additionalProperties: false },
  }
  const contract = await openBodies({ request, components, type: form })
  expect(checkForm(contract, 'amount=100&currency=usd&capture=true&rate=1.5&zip=02139')).toEqual([])
  expect(checkForm(contract, 'amount=100&metadata[order]=7&metadata[0]=x&metadata=')).toEqual(['body form'])
  expect(checkForm(contract, 'amount=100&metadata[order]=7&metadata[0]=true')).toEqual([])
  expect(checkForm(contract, 'amount=100&metadata=')).toEqual([])
  expect(checkForm(contract, 'amount=100&expand[]=a&expand[]=b')).toEqual([])
  expect(checkForm(contract, 'amount=100&expand[0]=a&expand[1]=b')).toEqual([])
  expect(checkForm(contract, 'amount=100&items[0][price]=p_1&items[0][quantity]=2&items[1][price]=p_2')).toEqual([])
  expect(checkForm(contract, 'amount=100&items%5B0%5D%5Bquantity%5D=2')).toEqual([])
  expect(checkForm(contract, 'amount=100&shipping[name]=A&shipping[address][line1]=B')).toEqual([])
  expect(checkForm(contract, 'amount=100&trial_end=now')).toEqual([])
  expect(checkForm(contract, 'amount=100&trial_end=1700000000')).toEqual([])

  expect(checkForm(contract, 'amount=100.00')).toEqual(['body /amount type'])
  expect(checkForm(contract, 'amount=ten')).toEqual(['body /amount type'])
  expect(checkForm(contract, 'currency=usd')).toEqual(['body /amount required'])
  expect(checkForm(contract, 'amount=100&amount=200')).toEqual(['body /amount type'])
  expect(checkForm(contract, 'amount=100&items[0][quantity]=two')).toEqual(['body /items/0/quantity type'])
  expect(checkForm(contract, 'amount=100&items[0][colour]=red')).toEqual(['body /items/0/colour additionalProperties'])
  expect(checkForm(contract, 'amount=100&shipping[address][line1]=B')).toEqual(['body /shipping/name required'])
  expect(checkForm(contract, 'amount=100&trial_end=later')).toEqual(['body /trial_end anyOf'])
  expect(checkForm(contract, 'amount=100&colour=red')).toEqual(['body /colour additionalProperties'])
  expect(checkForm(contract, 'amount=100&items[0=1')).toEqual(['body form'])
  expect(checkForm(contract, 'amount=100&[x]=1')).toEqual(['body form'])
})

test('a number that JSON would be given as a text is refused there, and typed in a form', async () => {
  const request = { type: 'object', properties: { amount: integer } }
  expect(checkValue(await openBodies({ request }), { amount: '100' })).toEqual(['body /amount type'])
  expect(checkForm(await openBodies({ request, type: form }), 'amount=100')).toEqual([])
})

test('how a form’s fields are written can be described: JSON, commas, a name with brackets', async () => {
  const schema = {
    type: 'object',
    properties: {
      filter: { type: 'object', properties: { a: integer }, additionalProperties: false },
      ids: { type: 'array', items: integer },
      'tags[]': { type: 'array', items: { type: 'string', maxLength: 3 } },
    },
    additionalProperties: false,
  }
  const encoding = { filter: { contentType: 'application/json' }, ids: { explode: false } }
  const content = { [form]: { schema, encoding } }
  const contract = await openContract(
    documentOf({ '/things': { post: { requestBody: { content }, responses: { 200: { description: '' } } } } }),
  )
  expect(checkForm(contract, 'filter=%7B%22a%22%3A1%7D&ids=1,2&tags[]=a&tags[]=b')).toEqual([])
  expect(checkForm(contract, 'filter=%7B%22a%22%3A%221%22%7D&ids=1,x&tags[]=long')).toEqual([
    'body /filter/a type',
    'body /ids/1 type',
    'body /tags[]/0 maxLength',
  ])
  expect(checkForm(contract, 'filter=%7B')).toEqual(['body /filter json'])
})

test('multipart: fields are typed, files are bytes, parts of JSON are read, their types are checked', async () => {
  const schema = {
    type: 'object',
    required: ['file'],
    properties: {
      purpose: { type: 'string', enum: ['evidence'] },
      count: integer,
      file: { type: 'string', format: 'binary' },
      meta: { type: 'object', properties: { a: integer } },
      tags: { type: 'array', items: { type: 'string', maxLength: 3 } },
    },
    additionalProperties: false,
  }
  const content = { 'multipart/form-data': { schema, encoding: { file: { contentType: 'image/png, image/jpeg' } } } }
  const contract = await openContract(
    documentOf({ '/things': { post: { requestBody: { content }, responses: { 200: { description: '' } } } } }),
  )
  const check = async (fill: (data: FormData) => void): Promise<string[]> => {
    const data = new FormData()
    fill(data)
    // The platform itself writes the body.
    const written = new Request(`${base}/things`, { method: 'POST', body: data })
    const body = Buffer.from(await written.arrayBuffer())
    return brief(contract.checkRequest(post('/things', body, written.headers.get('content-type') ?? '')).violations)
  }
  const png = new Blob([Buffer.from([0x89, 0x50, 0x0d, 0x0a, 0xff, 0x00])], { type: 'image/png' })
  expect(
    await check((data) => {
      data.append('purpose', 'evidence')
      data.append('count', '3')
      data.append('file', png, 'a "b".png')
      data.append('meta', '{"a":1}')
      data.append('tags', 'a')
      data.append('tags', 'b')
    }),
  ).toEqual([])
  expect(
    await check((data) => {
      data.append('purpose', 'fun')
      data.append('count', 'three')
      data.append('meta', '{"a":"1"}')
      data.append('tags', 'long')
      data.append('extra', 'x')
    }),
  ).toEqual([
    'body /file required',
    'body /extra additionalProperties',
    'body /purpose enum',
    'body /count type',
    'body /meta/a type',
    'body /tags/0 maxLength',
  ])
  expect(await check((data) => data.append('file', new Blob(['x'], { type: 'text/html' }), 'x.html'))).toEqual([
    'body /file contentType',
  ])
  expect(
    await check((data) => {
      data.append('file', png)
      data.append('meta', 'not json')
    }),
  ).toEqual(['body /meta json'])
})

test('a multipart body that cannot be taken apart is refused with the reason', async () => {
  const contract = await openBodies({ request: { type: 'object' }, type: 'multipart/form-data' })
  const check = (body: string, type: string): string | undefined =>
    contract.checkRequest(post('/things', body, type)).violations[0]?.message
  expect(check('x', 'multipart/form-data')).toBe('cannot be taken apart: its Content-Type names no boundary')
  expect(check('x', 'multipart/form-data; boundary=b')).toBe(
    'cannot be taken apart: its boundary, b, does not occur in it',
  )
  expect(check('--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx', 'multipart/form-data; boundary=b')).toBe(
    'cannot be taken apart: it ends within a part',
  )
  expect(check('--b\r\nX: y\r\n\r\nx\r\n--b--', 'multipart/form-data; boundary="b"')).toBe(
    'cannot be taken apart: a part has no name',
  )
})

test('text is held against the schema, bytes are not, nor are texts whose schema speaks of objects', async () => {
  const check = async (request: object, type: string, sent: string | Buffer): Promise<string[]> => {
    const contract = await openBodies({ request, type })
    return brief(contract.checkRequest(post('/things', sent, type)).violations)
  }
  expect(await check({ type: 'string', maxLength: 3 }, 'text/plain', 'abcd')).toEqual(['body maxLength'])
  expect(await check({ type: 'string', maxLength: 3 }, 'text/plain', 'abc')).toEqual([])
  expect(await check(integer, 'text/plain', '12')).toEqual([])
  expect(await check(integer, 'text/plain', 'x')).toEqual(['body type'])
  expect(await check({ type: 'object' }, 'text/csv', 'a,b')).toEqual([])
  expect(await check({ type: 'string', maxLength: 3 }, 'application/pdf', Buffer.alloc(10, 0xff))).toEqual([])
})

test('of several media types the exactest one counts; ranges and suffixes are understood', async () => {
  const content = {
    '*/*': { schema: { const: 'any' } },
    'application/*': { schema: { const: 'application' } },
    'application/json': { schema: { const: 'json' } },
    'application/vnd.api+json': { schema: { const: 'suffix' } },
    'application/json; version=2': { schema: { const: 'two' } },
  }
  const contract = await openContract(
    documentOf({ '/things': { post: { requestBody: { content }, responses: { 200: { description: '' } } } } }),
  )
  const fits = (type: string, value: string): boolean =>
    contract.checkRequest(post('/things', JSON.stringify(value), type)).violations.length === 0
  expect(fits('application/json', 'json')).toBe(true)
  expect(fits('APPLICATION/JSON; charset=utf-8', 'json')).toBe(true)
  expect(fits('application/json; version=2', 'two')).toBe(true)
  expect(fits('application/json; version=3', 'json')).toBe(true)
  expect(fits('application/vnd.api+json', 'suffix')).toBe(true)
  expect(fits('application/problem+json', 'application')).toBe(true)
  expect(fits('application/problem+json', 'json')).toBe(false)
})

test('a response: its status, its headers, its body', async () => {
  const contract = await openContract(
    documentOf(
      {
        '/things': {
          get: {
            responses: {
              200: {
                description: '',
                headers: { 'X-Left': { required: true, schema: integer }, 'content-type': { schema: integer } },
                content: { 'application/json': { schema: { type: 'object', required: ['id'] } } },
              },
              204: { description: '' },
              404: { $ref: '#/components/responses/Missing' },
              '4XX': { description: '', content: { 'application/json': { schema: { required: ['class'] } } } },
            },
          },
          post: {
            responses: {
              default: { description: '', content: { 'application/json': { schema: { required: ['any'] } } } },
            },
          },
        },
      },
      {
        responses: {
          Missing: { description: '', content: { 'application/json': { schema: { required: ['exact'] } } } },
        },
      },
    ),
  )
  const check = (...[value, status, headers]: Parameters<typeof answerJson>): string[] =>
    brief(contract.checkResponse(get('/things'), answerJson(value, status, headers)))
  expect(check({ id: 1 }, 200, { 'x-left': '5' })).toEqual([])
  expect(check({ id: 1 })).toEqual(['header /X-Left required'])
  expect(check({ id: 1 }, 200, { 'x-left': 'five' })).toEqual(['header /X-Left type'])
  expect(check({}, 200, { 'x-left': '5' })).toEqual(['body /id required'])
  expect(check({}, 404)).toEqual(['body /exact required'])
  expect(check({}, 429)).toEqual(['body /class required'])
  expect(check({}, 500)).toEqual(['status responses'])
  expect(check({}, 204)).toEqual(['body content'])
  const empty = { status: 204, headers: {}, body: undefined }
  expect(brief(contract.checkResponse(get('/things'), empty))).toEqual([])
  expect(brief(contract.checkResponse(get('/things'), { ...empty, status: 200, headers: { 'x-left': '1' } }))).toEqual([
    'body content',
  ])
  expect(brief(contract.checkResponse(postJson('/things', {}), answerJson({}, 503)))).toEqual(['body /any required'])
  expect(contract.checkResponse(get('/nowhere'), empty)).toEqual([])
})

test('a compressed body is read; one that was decoded already, as well', async () => {
  const contract = await openBodies({ request: { type: 'object', required: ['a'] } })
  const check = (body: Buffer, encoding: string): string[] => {
    const headers = { 'Content-Type': 'application/json', 'Content-Encoding': encoding }
    return brief(contract.checkRequest({ method: 'POST', url: `${base}/things`, headers, body }).violations)
  }
  const [good, bad] = [Buffer.from('{"a":1}'), Buffer.from('{}')]
  expect(check(gzipSync(good), 'gzip')).toEqual([])
  expect(check(gzipSync(bad), 'GZIP')).toEqual(['body /a required'])
  expect(check(brotliCompressSync(gzipSync(bad)), 'gzip, br')).toEqual(['body /a required'])
  expect(check(bad, 'gzip')).toEqual(['body /a required'])
  expect(check(good, 'identity')).toEqual([])
})
