import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { byName, checkValue, documentOf, get, openBodies, postJson } from '../../../test/support/contracts.ts'
import { VivariumError } from '../../core/errors.ts'
import { openContract } from './open-contract.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vivarium-contract-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const responses = { 200: { description: '' } }
const things = { '/things': { get: { responses } } }

/** What a person is told: what was seen, and what to do. */
async function refusal(run: () => unknown): Promise<string> {
  try {
    await run()
  } catch (error) {
    if (error instanceof VivariumError) return `${error.code}: ${error.seen} ${error.remedy}`
    throw error
  }
  return 'accepted'
}

const malformed: readonly { name: string; document: unknown; said: RegExp }[] = [
  { name: 'no object', document: [], said: /the document is an array, not an object/ },
  { name: 'no version', document: { paths: {} }, said: /it has no `openapi`/ },
  { name: 'Swagger 2.0', document: { swagger: '2.0', paths: {} }, said: /swagger: "2.0" .*swagger2openapi/ },
  { name: 'a later version', document: { openapi: '4.0.0', paths: {} }, said: /openapi: "4.0.0"/ },
  { name: 'no paths', document: { openapi: '3.1.0' }, said: /at #\/paths: .* missing/ },
  { name: 'a path without a slash', document: documentOf({ things: {} }), said: /at #\/paths\/things: .*slash/ },
  { name: 'a path that is no object', document: documentOf({ '/a': [] }), said: /at #\/paths\/~1a: .*an array/ },
  {
    name: 'an operation that is no object',
    document: documentOf({ '/a': { get: null } }),
    said: /at #\/paths\/~1a\/get: .*null/,
  },
  {
    name: 'two paths that are the same',
    document: documentOf({ '/a/{x}': {}, '/a/{y}': {} }),
    said: /`\/a\/\{y\}` and `\/a\/\{x\}` are the same/,
  },
  { name: 'servers that are no list', document: { ...documentOf(things), servers: {} }, said: /at #\/servers/ },
  {
    name: 'a server’s variable that is not described',
    document: { ...documentOf(things), servers: [{ url: 'https://{region}.test' }] },
    said: /at #\/servers\/0: the variable `region`/,
  },
  {
    name: 'no server with an absolute URL',
    document: { ...documentOf(things), servers: [{ url: '/v1' }] },
    said: /no server with an absolute URL .*baseUrl/,
  },
  {
    name: 'a reference to nothing',
    document: documentOf(
      { '/a': { get: { responses: { 200: { $ref: '#/components/responses/Thng' } } } } },
      { responses: { Thing: {} } },
    ),
    said: /at #\/paths\/~1a\/get\/responses\/200: the reference `#\/components\/responses\/Thng` cannot be resolved Is `Thing` meant/,
  },
  {
    name: 'a reference to another file',
    document: documentOf(things, { schemas: { A: { $ref: './other.yaml#/A' } } }),
    said: /at #\/components\/schemas\/A: .*`\.\/other\.yaml#\/A`.*bundle/,
  },
  {
    name: 'references that only lead to one another',
    document: documentOf(things, {
      schemas: { A: { $ref: '#/components/schemas/B' }, B: { $ref: '#/components/schemas/A' } },
    }),
    said: /at #\/components\/schemas\/A: .*leads back to itself[\s\S]*at #\/components\/schemas\/B/,
  },
  {
    name: 'several problems at once',
    document: documentOf({ a: {}, '/b': { get: 1 } }, { schemas: { A: { $ref: '#/x' } } }),
    said: /3 problems\n.*#\/paths\/a:.*\n.*#\/paths\/~1b\/get:.*\n.*#\/components\/schemas\/A:/,
  },
]

test.each(byName(malformed))(
  'a malformed document is refused when it is opened: %s',
  async (_name, { document, said }) => {
    expect(await refusal(() => openContract(document as object))).toMatch(said)
  },
)

/** Wrong inside one operation, `GET /a/{id}`: told when that is first used. */
const inside: readonly { name: string; operation: Record<string, unknown>; said: RegExp }[] = [
  { name: 'no responses', operation: {}, said: /at #\/paths\/~1a~1\{id\}\/get\/responses: .*missing/ },
  { name: 'empty responses', operation: { responses: {} }, said: /at least one response/ },
  {
    name: 'a status that is none',
    operation: { responses: { ok: {} } },
    said: /get\/responses\/ok: `ok` is no status/,
  },
  {
    name: 'a name in the path that is not described',
    operation: { parameters: [], responses },
    said: /`\{id\}` of the path/,
  },
  {
    name: 'parameters that are no list',
    operation: { parameters: {}, responses },
    said: /get\/parameters: .*an object/,
  },
  {
    name: 'a parameter without a name',
    operation: { parameters: [{ in: 'query' }], responses },
    said: /parameters\/0: .*`name`/,
  },
  {
    name: 'a parameter in the body, as Swagger had it',
    operation: { parameters: [{ name: 'b', in: 'body' }], responses },
    said: /`in` of the parameter `b` is "body" Give it one of: path, query, header, cookie/,
  },
  {
    name: 'a parameter twice',
    operation: {
      parameters: [
        { name: 'q', in: 'query' },
        { name: 'q', in: 'query' },
      ],
      responses,
    },
    said: /parameters\/1: the query parameter `q` is listed twice/,
  },
  {
    name: 'a style that its place does not have',
    operation: { parameters: [{ name: 'q', in: 'query', style: 'matrix' }], responses },
    said: /parameters\/0\/style: the style "matrix" does not exist for a query parameter/,
  },
  {
    name: 'a request body without content',
    operation: { requestBody: {}, responses },
    said: /requestBody: .*`content`/,
  },
  {
    name: 'a media type that is none',
    operation: { requestBody: { content: { json: {} } }, responses },
    said: /content\/json: "json" is no media type/,
  },
  {
    name: 'a security scheme that is not described',
    operation: { security: [{ key: [] }], responses },
    said: /no security scheme `key`/,
  },
]

test.each(byName(inside))(
  'what is wrong in an operation is told when it is first used: %s',
  async (_name, { operation, said }) => {
    const parameters = operation['parameters'] ?? [{ name: 'id', in: 'path', required: true }]
    const contract = await openContract(documentOf({ ...things, '/a/{id}': { get: { ...operation, parameters } } }))
    expect(contract.checkRequest(get('/things')).violations).toEqual([])
    expect(await refusal(() => contract.checkRequest(get('/a/1')))).toMatch(said)
  },
)

const schemaProblems: readonly { name: string; openapi?: '3.0.3'; schema: unknown; said: RegExp }[] = [
  { name: 'a schema that is none', schema: 'string', said: /schema: a schema is to be an object and is a string/ },
  { name: 'a type that is none', schema: { type: 'strin' }, said: /schema\/type: "strin" is no type The types are/ },
  {
    name: 'a bound that is no number',
    schema: { minimum: '5' },
    said: /schema\/minimum: `minimum` is to be a number and is "5"/,
  },
  { name: 'a length below 0', schema: { maxLength: -1 }, said: /schema\/maxLength: .*at least 0 and is -1/ },
  {
    name: 'a pattern that is none',
    schema: { pattern: '(' },
    said: /schema\/pattern: the pattern "\(" is no regular expression/,
  },
  {
    name: 'required as a flag',
    schema: { properties: { a: { required: true } } },
    said: /properties\/a\/required: .*list of names and is true/,
  },
  {
    name: 'properties that are no schemas',
    schema: { properties: { a: 1 } },
    said: /schema\/properties: .*an object of schemas/,
  },
  { name: 'allOf that is no list', schema: { allOf: {} }, said: /schema\/allOf: .*a list of schemas/ },
  {
    name: 'items as a list, as drafts before 2020-12 had it',
    schema: { items: [{}] },
    said: /schema\/items: .*a schema/,
  },
  {
    name: 'a discriminator without a property',
    schema: { oneOf: [{}], discriminator: {} },
    said: /discriminator: .*`propertyName`/,
  },
  { name: 'a base URI', schema: { $id: 'x' }, said: /schema\/\$id: `\$id` is not supported/ },
  { name: 'nullable in 3.1', schema: { nullable: true }, said: /schema\/nullable: .*3\.0 and says nothing in 3\.1/ },
  {
    name: 'a keyword of 3.1 in 3.0',
    openapi: '3.0.3',
    schema: { const: 1 },
    said: /schema\/const: `const` is a keyword of OpenAPI 3\.1 .*3\.0\.3/,
  },
  {
    name: 'a list of types in 3.0',
    openapi: '3.0.3',
    schema: { type: ['string', 'null'] },
    said: /schema\/type: .*`nullable: true`/,
  },
  {
    name: 'the type null in 3.0',
    openapi: '3.0.3',
    schema: { type: 'null' },
    said: /schema\/type: .*`nullable: true`/,
  },
  {
    name: 'a bound of 3.1 in 3.0',
    openapi: '3.0.3',
    schema: { exclusiveMinimum: 5 },
    said: /exclusiveMinimum: .*true or false in OpenAPI 3\.0 and is 5/,
  },
  {
    name: 'a bound of 3.0 in 3.1',
    schema: { exclusiveMinimum: true },
    said: /exclusiveMinimum: .*a number and is true/,
  },
]

test.each(byName(schemaProblems))(
  'a schema that is wrong is told with its place: %s',
  async (_name, { openapi, schema, said }) => {
    const contract = await openBodies({ openapi, request: schema })
    expect(await refusal(() => checkValue(contract, {}))).toMatch(said)
  },
)

test('a schema that is, in place, part of itself is refused; one that contains itself below a property is not', async () => {
  const ref = (name: string): object => ({ $ref: `#/components/schemas/${name}` })
  const components = {
    A: { allOf: [ref('B')] },
    B: { anyOf: [{ type: 'object' }, ref('A')] },
    C: { properties: { c: ref('C') } },
  }
  const endless = await openBodies({ request: ref('A'), components })
  expect(await refusal(() => checkValue(endless, {}))).toMatch(
    /at #\/components\/schemas\/A: the schema is a part of itself/,
  )
  expect(checkValue(await openBodies({ request: ref('C'), components }), { c: { c: {} } })).toEqual([])
})

test('a `$ref` in an example or in the name of a property is no reference', async () => {
  const contract = await openBodies({
    request: {
      type: 'object',
      properties: { $ref: { type: 'integer' }, example: { type: 'string' } },
      example: { $ref: '#/nowhere' },
    },
  })
  expect(checkValue(contract, { $ref: 1 })).toEqual([])
  expect(checkValue(contract, { $ref: 'x' })).toEqual(['body /$ref type'])
})

test('a document is read from a file of JSON or of YAML', async () => {
  const document = documentOf(things)
  await writeFile(join(folder, 'api.json'), `\uFEFF${JSON.stringify(document)}`)
  await writeFile(join(folder, 'api.yaml'), stringify(document))
  for (const file of ['api.json', 'api.yaml']) {
    for (const location of [join(folder, file), pathToFileURL(join(folder, file))]) {
      const contract = await openContract(location, { name: file })
      expect(contract.checkRequest(get('/things'))).toMatchObject({ operation: { contract: file }, violations: [] })
    }
  }
})

test('a file that is not there, or not its format, is refused with its path and the reason', async () => {
  await writeFile(join(folder, 'bad.json'), '{')
  await writeFile(join(folder, 'bad.yml'), 'a: [')
  expect(await refusal(() => openContract(join(folder, 'none.json')))).toMatch(
    /CONTRACT_UNREADABLE: ENOENT.*none\.json/,
  )
  expect(await refusal(() => openContract('openapi: 3.1.0\npaths: {}\n'))).toMatch(/a text where a path should be/)
  expect(await refusal(() => openContract(join(folder, 'bad.json')))).toMatch(/CONTRACT_UNREADABLE: .*JSON/)
  expect(await refusal(() => openContract(join(folder, 'bad.yml')))).toMatch(/CONTRACT_UNREADABLE: [\s\S]*YAML/)
})

test('options that are not known or not valid are refused', async () => {
  const open = (options: object): Promise<string> => refusal(() => openContract(documentOf(things), options))
  expect(await open({ baseURL: 'x' })).toMatch(/CONFIG_INVALID: .*Did you mean `baseUrl`/)
  expect(await open({ baseUrl: 'api.example.test' })).toMatch(/CONFIG_INVALID: "api\.example\.test" .*absolute URL/)
  expect(await open({ unknownFields: 'deny' })).toMatch(/CONFIG_INVALID: "deny" .*'refuse'/)
})

test('what was given is not changed, also where it is frozen', async () => {
  const request = { type: 'object', properties: { a: { type: 'integer' } } }
  const contract = await openBodies({ request: Object.freeze(request) })
  const before = structuredClone(request)
  contract.exampleResponse(postJson('/things', { a: 1 }))
  expect(checkValue(contract, { a: 'x' })).toEqual(['body /a type'])
  expect(request).toEqual(before)
})
