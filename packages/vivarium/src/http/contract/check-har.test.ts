import { beforeAll, expect, test } from 'vitest'
import { base, documentOf } from '../../../test/support/contracts.ts'
import { checkHar } from './check-har.ts'
import { contractFor } from './contract.ts'
import { openContract } from './open-contract.ts'
import type { Contract } from './types.ts'

const form = 'application/x-www-form-urlencoded'
const thing = { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } }
const operation = {
  requestBody: { content: { 'application/json': { schema: thing }, [form]: { schema: thing } } },
  responses: { 200: { description: '', content: { 'application/json': { schema: thing } } } },
}

let contracts: Contract[] = []
beforeAll(async () => {
  const document = documentOf({ '/things': { post: operation } })
  contracts = [
    await openContract(document, { name: 'first', baseUrl: base }),
    await openContract(document, { name: 'second', baseUrl: `${base}/v2` }),
  ]
})

const jsonHeader = { name: 'Content-Type', value: 'application/json' }

/** A recording of one exchange, as a browser writes it. */
function recording(request: object, response: object = {}): unknown {
  const entry = {
    request: {
      method: 'POST',
      url: `${base}/things`,
      headers: [{ name: ':authority', value: 'x' }, jsonHeader],
      postData: { mimeType: 'application/json', text: '{"id":1}' },
      ...request,
    },
    response: { status: 200, headers: [jsonHeader], content: { size: 8, text: '{"id":1}' }, ...response },
  }
  return { log: { version: '1.2', entries: [entry] } }
}

/** What is found, in one line each. */
function check(...args: Parameters<typeof recording>): string[] {
  return checkHar(contracts, recording(...args)).map(
    ({ entry, method, side, part, pointer, rule }) => `${entry} ${method} ${side} ${part} ${pointer} ${rule}`,
  )
}

test('recorded traffic is checked both ways, each entry against the document that covers its URL', () => {
  expect(check({})).toEqual([])
  expect(
    check({ postData: { mimeType: 'application/json', text: '{}' } }, { content: { text: '{"id":"x"}' } }),
  ).toEqual(['0 POST request body /id required', '0 POST response body /id type'])
  expect(check({ url: 'https://elsewhere.test/things' })).toEqual([])
  expect(check({ url: `${base}/v2/things` })).toEqual([])
  expect(check({ url: `${base}/v2/nothing` })).toEqual(['0 POST request path  paths'])
  expect(checkHar(contracts[0] as Contract, recording({ method: 'GET' }))).toMatchObject([
    { entry: 0, method: 'GET', url: `${base}/things`, part: 'method' },
  ])
})

test('of several documents the one with the longest base URL covers', () => {
  expect(contractFor(contracts, `${base}/v2/things`)?.name).toBe('second')
  expect(contractFor(contracts, `${base}/things`)?.name).toBe('first')
  expect(contractFor(contracts, 'https://elsewhere.test')).toBeUndefined()
})

test('bodies are read as they were recorded: base64, fields of a form; left out they are not checked', () => {
  const encoded = Buffer.from('{"id":"x"}').toString('base64')
  expect(check({}, { content: { size: 10, encoding: 'base64', text: encoded } })).toEqual([
    '0 POST response body /id type',
  ])
  const params = [{ name: 'id', value: 'x' }]
  expect(check({ headers: [], postData: { mimeType: form, params } })).toEqual(['0 POST request body /id type'])
  expect(check({ postData: undefined, bodySize: 8 }, { content: { size: 8 } })).toEqual([])
  expect(check({ postData: undefined, bodySize: 0 }, { content: { size: 0 } })).toEqual([
    '0 POST response body  content',
  ])
})

test('a request that was never answered is checked by itself', () => {
  expect(check({ postData: undefined }, { status: 0, headers: [], content: {} })).toEqual([])
})

test.each([
  ['no object', [], 'the recording is an array'],
  ['no log', {}, 'log is missing'],
  ['no entries', { log: {} }, 'log.entries is missing'],
  ['an entry without a request', { log: { entries: [{}] } }, 'log.entries[0].request is missing'],
  ['a request without a URL', recording({ url: 5 }), 'log.entries[0].request.url is an integer'],
  [
    'an entry without a response',
    { log: { entries: [{ request: { method: 'POST', url: `${base}/things` } }] } },
    'log.entries[0].response is missing',
  ],
])('what is no HAR file is refused by what is wrong: %s', (_, har, seen) => {
  expect(() => checkHar(contracts, har)).toThrow(expect.objectContaining({ code: 'RECORDING_INVALID', seen }))
})
