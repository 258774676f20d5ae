import fc from 'fast-check'
import { expect, test } from 'vitest'
import { brief, conditional, documentOf, get, openBodies, postJson } from '../../../test/support/contracts.ts'
import { openContract } from './open-contract.ts'
import type { Contract, ContractResponse } from './types.ts'

/** The value that a contract answers to `POST /things`, checked by the contract itself. */
function example(contract: Contract): unknown {
  const request = postJson('/things', {})
  const response = contract.exampleResponse(request)
  expect(brief(contract.checkResponse(request, response))).toEqual([])
  return JSON.parse(textOf(response))
}

function textOf(response: ContractResponse): string {
  return Buffer.from(response.body ?? []).toString('utf8')
}

/** Schemas that some value fits, by construction: from small parts that contradict nothing. */
const schemas = fc.letrec<{ schema: object }>((tie) => ({
  schema: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<object>(
      { type: 'boolean' },
      { type: 'null' },
      { enum: ['a', 1, null] },
      { const: { a: [1] } },
      ...[
        'date',
        'date-time',
        'time',
        'duration',
        'email',
        'hostname',
        'ipv4',
        'ipv6',
        'uri',
        'uuid',
        'byte',
        'json-pointer',
      ].map((format) => ({ type: 'string', format })),
      ...[
        '^ch_[A-Za-z0-9]{24}$',
        '^\\d{4}-\\d{2}$',
        '^(usd|eur)?[^a-z]{2,}$',
        '[\\w.]+@\\w+',
        '^\\p{Lu}',
        'x*y+z?',
      ].map((pattern) => (pattern.includes('\\p') ? { type: 'string' } : { type: 'string', pattern })),
    ),
    fc
      .tuple(fc.nat(20), fc.nat(20))
      .map(([minLength, more]) => ({ type: 'string', minLength, maxLength: minLength + more })),
    fc
      .tuple(
        fc.constantFrom('integer', 'number'),
        fc.integer({ min: -1_000, max: 1_000 }),
        fc.nat(50),
        fc.constantFrom(1, 5, 0.01),
      )
      .map(([type, minimum, more, multipleOf]) => ({ type, minimum, maximum: minimum + 5 + more, multipleOf })),
    fc
      .integer({ min: -100, max: 100 })
      .map((low) => ({ type: 'number', exclusiveMinimum: low, exclusiveMaximum: low + 1 })),
    fc.integer({ min: -100, max: 100 }).map((low) => ({ type: 'integer', exclusiveMinimum: low, maximum: low + 1 })),
    fc
      .tuple(tie('schema'), fc.nat(3))
      .map(([items, minItems]) => ({ type: 'array', items, minItems, maxItems: minItems + 1 })),
    fc
      .nat(4)
      .map((minItems) => ({ type: 'array', items: { type: ['string', 'integer'] }, minItems, uniqueItems: true })),
    fc
      .tuple(tie('schema'), tie('schema'))
      .map((prefixItems) => ({ type: 'array', prefixItems, items: false, minItems: 2 })),
    fc
      .dictionary(fc.constantFrom('a', 'b', 'c', 'constructor', 'a/b'), fc.tuple(tie('schema'), fc.boolean()), {
        maxKeys: 4,
      })
      .map((fields) => ({
        type: 'object',
        properties: Object.fromEntries(Object.entries(fields).map(([name, [schema]]) => [name, schema])),
        required: Object.keys(fields).filter((name) => fields[name]?.[1]),
        additionalProperties: false,
      })),
    fc
      .tuple(tie('schema'), fc.nat(3))
      .map(([additionalProperties, minProperties]) => ({ type: 'object', additionalProperties, minProperties })),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
    tie('schema').map((one) => ({
      oneOf: [{ type: 'object', properties: { k: one, t: { const: 1 } }, required: ['t'] }, { not: {} }],
    })),
    fc.tuple(tie('schema'), tie('schema')).map(([a, b]) => ({
      type: 'object',
      allOf: [
        { properties: { a }, required: ['a'] },
        { properties: { b }, required: ['b'] },
      ],
      unevaluatedProperties: false,
    })),
    tie('schema').map((value) => ({
      type: 'object',
      properties: { kind: { enum: ['x', 'y'] }, value },
      required: ['kind'],
      ...conditional({ properties: { kind: { const: 'x' } } }, { required: ['value'] }),
    })),
  ),
})).schema

test('an example always passes the check of the response, whatever the schema', async () => {
  await fc.assert(
    fc.asyncProperty(schemas, async (response) => {
      example(await openBodies({ response }))
    }),
    { numRuns: 100 },
  )
})

test('the document’s own example comes first where it is valid, of the response, of a field, of a schema', async () => {
  const schema = {
    type: 'object',
    required: ['id', 'amount', 'currency'],
    properties: {
      id: { type: 'string', pattern: '^ch_', example: 'ch_123' },
      amount: { type: 'integer', default: 100 },
      currency: { type: 'string', enum: ['usd'] },
      note: { type: 'string', examples: ['hello'] },
      other: { type: 'string' },
    },
  }
  expect(example(await openBodies({ response: schema }))).toEqual({
    id: 'ch_123',
    amount: 100,
    currency: 'usd',
    note: 'hello',
  })
  const answer = async (media: object): Promise<unknown> => {
    const response = { description: '', content: { 'application/json': { schema, ...media } } }
    const examples = { Good: { value: { id: 'ch_9', amount: 9, currency: 'usd' } } }
    return example(
      await openContract(documentOf({ '/things': { post: { responses: { 200: response } } } }, { examples })),
    )
  }
  expect(await answer({ example: { id: 'ch_1', amount: 1, currency: 'usd' } })).toMatchObject({ id: 'ch_1' })
  expect(await answer({ examples: { a: { $ref: '#/components/examples/Good' } } })).toMatchObject({ id: 'ch_9' })
  // One that breaks its own schema is passed over.
  expect(await answer({ example: { id: 1 } })).toMatchObject({ id: 'ch_123' })
})

test('a schema that contains itself ends as soon as it may', async () => {
  const ref = { $ref: '#/components/schemas/Node' }
  const components = {
    Node: {
      type: 'object',
      required: ['name', 'next', 'children'],
      properties: {
        name: { type: 'string' },
        next: { anyOf: [ref, { type: 'null' }] },
        children: { type: 'array', items: ref },
      },
    },
  }
  expect(example(await openBodies({ response: ref, components }))).toEqual({ name: 'text', next: null, children: [] })
  const endless = await openBodies({
    response: ref,
    components: { Node: { type: 'object', required: ['next'], properties: { next: ref } } },
  })
  expect(() => endless.exampleResponse(postJson('/things', {}))).toThrow(
    expect.objectContaining({
      code: 'CONTRACT_NO_EXAMPLE',
      remedy: expect.stringContaining('#/components/schemas/Node'),
    }),
  )
})

test('fields that are only ever sent are left out, also where they are required', async () => {
  const response = {
    type: 'object',
    required: ['name', 'password'],
    properties: { name: { type: 'string' }, password: { type: 'string', writeOnly: true } },
  }
  expect(example(await openBodies({ response }))).toEqual({ name: 'text' })
})

test('the status is the lowest successful one or the one asked for, the media type the one that the request likes best', async () => {
  const content = {
    'application/json': { schema: { const: 'json' } },
    'text/plain': { schema: { type: 'string', enum: ['plain'] } },
    'text/csv': { schema: { type: 'string', enum: ['a,b'] } },
  }
  const contract = await openContract(
    documentOf({
      '/things': {
        get: {
          responses: {
            404: { description: '', content: { 'application/json': { schema: { const: 'missing' } } } },
            201: {
              description: '',
              content,
              headers: { 'X-Left': { required: true, schema: { type: 'integer', minimum: 7 } } },
            },
            '5XX': { description: '' },
          },
        },
        delete: { responses: { 204: { description: '' } } },
        head: { responses: { default: { description: '' } } },
      },
    }),
  )
  const answer = (accept?: string, status?: number): string => {
    const request = get('/things', accept === undefined ? {} : { accept })
    const response = contract.exampleResponse(request, status)
    expect(brief(contract.checkResponse(request, response))).toEqual([])
    return `${response.status} ${textOf(response)}`
  }
  expect(answer()).toBe('201 "json"')
  expect(answer('*/*')).toBe('201 "json"')
  expect(answer('text/*')).toBe('201 plain')
  expect(answer('text/csv, text/plain;q=0.5')).toBe('201 a,b')
  expect(answer('application/json;q=0.1, text/plain')).toBe('201 plain')
  expect(answer(undefined, 404)).toBe('404 "missing"')
  expect(answer(undefined, 503)).toBe('503 ')
  expect(contract.exampleResponse(get('/things')).headers).toEqual([
    ['X-Left', '7'],
    ['content-type', 'application/json'],
  ])
  expect(contract.exampleResponse(get('/things', {}, 'DELETE'))).toEqual({ status: 204, headers: [], body: undefined })
  const refused = (run: () => unknown, seen: string): void =>
    expect(run).toThrow(expect.objectContaining({ code: 'CONTRACT_NO_EXAMPLE', seen: expect.stringContaining(seen) }))
  refused(() => answer('image/png'), 'the request accepts image/png only')
  refused(() => answer(undefined, 302), 'the document has no status 302')
  refused(() => contract.exampleResponse(get('/nothing')), 'is not known to the document')
})

test('a schema that nothing fits gives no example, and says which', async () => {
  const contract = await openBodies({
    response: { type: 'object', required: ['a'], properties: { a: { type: 'string', pattern: '^(?=x)y$' } } },
  })
  expect(() => contract.exampleResponse(postJson('/things', {}))).toThrow(
    expect.objectContaining({ code: 'CONTRACT_NO_EXAMPLE', remedy: expect.stringContaining('schema') }),
  )
})
