import { expect, test } from 'vitest'
import { base, brief, byName, documentOf, get } from '../../../test/support/contracts.ts'
import { openContract } from './open-contract.ts'
import type { ContractRequest } from './types.ts'

const integer = { type: 'integer' }
const integers = { type: 'array', items: integer }
const color = { type: 'object', properties: { R: integer, G: integer }, additionalProperties: false }

/** One parameter, what is sent, and what is wrong with it. */
interface Case {
  name: string
  parameter: Record<string, unknown>
  good: readonly string[]
  bad: readonly (readonly [sent: string, ...violations: string[]])[]
}

const inQuery: readonly Case[] = [
  {
    name: 'an integer',
    parameter: { schema: { type: 'integer', minimum: 1 } },
    good: ['?p=5', ''],
    bad: [
      ['?p=five', 'query /p type'],
      ['?p=', 'query /p type'],
      ['?p=1.5', 'query /p type'],
      ['?p=0', 'query /p minimum'],
      ['?p=1&p=2', 'query /p style'],
      ['?p=0x10', 'query /p type'],
      ['?p=99999999999999999999', 'query /p type'],
    ],
  },
  {
    name: 'a required one',
    parameter: { required: true, schema: {} },
    good: ['?p=x'],
    bad: [['', 'query /p required']],
  },
  {
    name: 'a boolean',
    parameter: { schema: { type: 'boolean' } },
    good: ['?p=true', '?p=false'],
    bad: [['?p=1', 'query /p type']],
  },
  {
    name: 'a text that looks like a number',
    parameter: { schema: { type: 'string' } },
    good: ['?p=5', '?p=true', '?p=a%20b', '?p=a+b', '?p=%zz'],
    bad: [],
  },
  {
    name: 'a text of a list, or a number',
    parameter: { schema: { anyOf: [{ type: 'integer' }, { type: 'string', enum: ['now', '7'] }] } },
    good: ['?p=5', '?p=now', '?p=7'],
    bad: [['?p=later', 'query /p anyOf']],
  },
  {
    name: 'a list, exploded',
    parameter: { schema: integers },
    good: ['?p=1&p=2', '?p=1'],
    bad: [
      ['?p=1&p=x', 'query /p/1 type'],
      ['?p=1,2', 'query /p/0 type'],
      ['?p[]=1', 'query /p[] parameters'],
    ],
  },
  {
    name: 'a list with commas',
    parameter: { explode: false, schema: integers },
    good: ['?p=1,2', '?p=1%2C2', '?p='],
    bad: [['?p=1,x', 'query /p/1 type']],
  },
  {
    name: 'a list with spaces',
    parameter: { style: 'spaceDelimited', explode: false, schema: integers },
    good: ['?p=1%202', '?p=1+2'],
    bad: [['?p=1,2', 'query /p/0 type']],
  },
  {
    name: 'a list with pipes',
    parameter: { style: 'pipeDelimited', explode: false, schema: integers },
    good: ['?p=1|2', '?p=1%7C2'],
    bad: [['?p=1|x', 'query /p/1 type']],
  },
  {
    name: 'an object, exploded',
    parameter: { schema: color },
    good: ['?R=1&G=2', ''],
    bad: [
      ['?R=x', 'query /p/R type'],
      ['?B=1', 'query /B parameters'],
    ],
  },
  {
    name: 'an object of any names',
    parameter: { schema: { type: 'object', additionalProperties: integer } },
    good: ['?a=1&b=2'],
    bad: [['?a=1&b=x', 'query /p/b type']],
  },
  {
    name: 'an object with commas',
    parameter: { explode: false, schema: color },
    good: ['?p=R,1,G,2'],
    bad: [
      ['?p=R,1,G', 'query /p style'],
      ['?p=R,x', 'query /p/R type'],
    ],
  },
  {
    name: 'a deep object',
    parameter: {
      style: 'deepObject',
      schema: { type: 'object', properties: { gte: integer, in: integers, a: color }, additionalProperties: false },
    },
    good: ['?p[gte]=5', '?p%5Bgte%5D=5', '?p[in][]=1&p[in][]=2', '?p[in][0]=1&p[in][1]=2', '?p[a][R]=1'],
    bad: [
      ['?p[gte]=x', 'query /p/gte type'],
      ['?p[lt]=1', 'query /p/lt additionalProperties'],
      ['?p[in][]=x', 'query /p/in/0 type'],
      ['?p[gte=1', 'query /p style'],
      ['?p=1&p[gte]=2', 'query /p style'],
    ],
  },
  {
    name: 'JSON in a parameter',
    parameter: { content: { 'application/json': { schema: color } } },
    good: ['?p=%7B%22R%22%3A1%7D'],
    bad: [
      ['?p=%7B%22R%22%3A%22x%22%7D', 'query /p/R type'],
      ['?p=%7B', 'query /p style'],
    ],
  },
  {
    name: 'an empty value where that is allowed',
    parameter: { allowEmptyValue: true, schema: integer },
    good: ['?p=', '?p', '?p=1'],
    bad: [['?p=x', 'query /p type']],
  },
  {
    name: 'names that nobody listed',
    parameter: { schema: integer },
    good: [],
    bad: [
      ['?q=1', 'query /q parameters'],
      ['?p=1&__proto__=1&q=2&q=3', 'query /__proto__ parameters', 'query /q parameters'],
    ],
  },
]

const inPath: readonly Case[] = [
  {
    name: 'simple',
    parameter: { schema: { type: 'string', maxLength: 5 } },
    good: ['abc', 'a%2Fb', 'a%20b'],
    bad: [
      ['abcdef', 'path /p maxLength'],
      ['%zz', 'path /p style'],
    ],
  },
  { name: 'a simple list', parameter: { schema: integers }, good: ['1,2'], bad: [['1,x', 'path /p/1 type']] },
  { name: 'a simple object', parameter: { schema: color }, good: ['R,1,G,2'], bad: [['R,x', 'path /p/R type']] },
  {
    name: 'a simple object, exploded',
    parameter: { explode: true, schema: color },
    good: ['R=1,G=2'],
    bad: [['R,1', 'path /p style']],
  },
  {
    name: 'label',
    parameter: { style: 'label', schema: integers },
    good: ['.1,2'],
    bad: [
      ['1,2', 'path /p style'],
      ['.1.2', 'path /p/0 type'],
    ],
  },
  {
    name: 'label, exploded',
    parameter: { style: 'label', explode: true, schema: integers },
    good: ['.1.2'],
    bad: [['.1.x', 'path /p/1 type']],
  },
  {
    name: 'matrix',
    parameter: { style: 'matrix', schema: integer },
    good: [';p=5'],
    bad: [
      ['5', 'path /p style'],
      [';p=x', 'path /p type'],
    ],
  },
  {
    name: 'a matrix list',
    parameter: { style: 'matrix', schema: integers },
    good: [';p=1,2'],
    bad: [[';p=1,x', 'path /p/1 type']],
  },
  {
    name: 'a matrix list, exploded',
    parameter: { style: 'matrix', explode: true, schema: integers },
    good: [';p=1;p=2'],
    bad: [[';p=1;p=x', 'path /p/1 type']],
  },
  {
    name: 'a matrix object, exploded',
    parameter: { style: 'matrix', explode: true, schema: color },
    good: [';R=1;G=2'],
    bad: [[';R=x', 'path /p/R type']],
  },
]

const inHeader: readonly Case[] = [
  {
    name: 'an integer',
    parameter: { required: true, schema: integer },
    good: ['5', ' 5 '],
    bad: [['x', 'header /p type']],
  },
  { name: 'a list', parameter: { schema: integers }, good: ['1, 2', '1,2'], bad: [['1,x', 'header /p/1 type']] },
  {
    name: 'an object, exploded',
    parameter: { explode: true, schema: color },
    good: ['R=1,G=2'],
    bad: [['R=x', 'header /p/R type']],
  },
]

const inCookie: readonly Case[] = [
  {
    name: 'an integer among others',
    parameter: { required: true, schema: integer },
    good: ['a=b; p=5', 'p=5'],
    bad: [
      ['p=x', 'cookie /p type'],
      ['a=b', 'cookie /p required'],
    ],
  },
  {
    name: 'a list',
    parameter: { explode: false, schema: integers },
    good: ['p=1,2'],
    bad: [['p=1,x', 'cookie /p/1 type']],
  },
]

describeCases('query', inQuery, '/things', (sent) => get(`/things${sent}`))
describeCases('path', inPath, '/things/{p}', (sent) => get(`/things/${sent}`))
describeCases('header', inHeader, '/things', (sent) => get('/things', { P: sent }))
describeCases('cookie', inCookie, '/things', (sent) => get('/things', { Cookie: sent }))

function describeCases(
  place: string,
  cases: readonly Case[],
  path: string,
  request: (sent: string) => ContractRequest,
): void {
  test.each(byName(cases))(`a ${place} parameter: %s`, async (_name, { parameter, good, bad }) => {
    const described = { name: 'p', in: place, ...(place === 'path' ? { required: true } : {}), ...parameter }
    const item = { get: { parameters: [described], responses: { 200: { description: '' } } } }
    const contract = await openContract(documentOf({ [path]: item }))
    const seen = [...good.map((sent) => [sent]), ...bad].map(([sent = '']) => [
      sent,
      ...brief(contract.checkRequest(request(sent)).violations),
    ])
    expect(seen).toEqual([...good.map((sent) => [sent]), ...bad])
  })
}

test('a parameter of the operation stands in place of the path’s of the same name and place', async () => {
  const contract = await openContract(
    documentOf(
      {
        '/things': {
          parameters: [{ $ref: '#/components/parameters/Limit' }, { name: 'X-Trace', in: 'header', required: true }],
          get: {
            parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer', maximum: 1_000 } }],
            responses: { 200: { description: '' } },
          },
        },
      },
      { parameters: { Limit: { name: 'limit', in: 'query', schema: { type: 'integer', maximum: 10 } } } },
    ),
  )
  expect(brief(contract.checkRequest(get('/things?limit=500', { 'x-trace': 'a' })).violations)).toEqual([])
  expect(brief(contract.checkRequest(get('/things?limit=5000')).violations)).toEqual([
    'query /limit maximum',
    'header /X-Trace required',
  ])
})

test('headers that OpenAPI describes by other means are no parameters', async () => {
  const parameters = ['Accept', 'content-type', 'Authorization'].map((name) => ({
    name,
    in: 'header',
    required: true,
    schema: { type: 'integer' },
  }))
  const item = { get: { parameters, responses: { 200: { description: '' } } } }
  const contract = await openContract(documentOf({ '/things': item }))
  expect(contract.checkRequest(get('/things', { Accept: '*/*' })).violations).toEqual([])
})

test('credentials have to be there: a header, a name in the query, a cookie, one set of several', async () => {
  const responses = { 200: { description: '' } }
  const contract = await openContract({
    ...documentOf(
      {
        '/bearer': { get: { responses } },
        '/either': { get: { security: [{ key: [], cookie: [] }, { basic: [] }], responses } },
        '/open': { get: { security: [], responses } },
        '/optional': { get: { security: [{ bearer: [] }, {}], responses } },
      },
      {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          basic: { type: 'http', scheme: 'basic' },
          key: { type: 'apiKey', in: 'query', name: 'api_key' },
          cookie: { type: 'apiKey', in: 'cookie', name: 'session' },
        },
      },
    ),
    security: [{ bearer: [] }],
  })
  const check = (path: string, headers?: Record<string, string>): string[] =>
    brief(contract.checkRequest(get(path, headers)).violations)
  expect(check('/bearer', { authorization: 'Bearer abc' })).toEqual([])
  expect(check('/bearer', { authorization: 'Basic abc' })).toEqual(['header /Authorization security'])
  expect(check('/bearer')).toEqual(['header /Authorization security'])
  expect(check('/either?api_key=1', { cookie: 'session=2' })).toEqual([])
  expect(check('/either?api_key=1')).toEqual(['cookie /session security'])
  expect(check('/either', { authorization: 'basic abc' })).toEqual([])
  expect(check('/open')).toEqual([])
  expect(check('/optional')).toEqual([])
  const [violation] = contract.checkRequest(get('/bearer', { authorization: 'Basic secret' })).violations
  expect(JSON.stringify(violation)).not.toContain('secret')
})

test('the most specific path wins, and an unknown path or method is told with what is near', async () => {
  const item = (name: string, id = 'id'): object => ({
    get: {
      operationId: name,
      parameters: id === '' ? [] : [{ name: id, in: 'path', required: true }],
      responses: { 200: {} },
    },
  })
  const contract = await openContract(
    documentOf({
      '/users/{id}': item('user'),
      '/users/me': item('me', ''),
      '/users/{id}/posts': item('posts'),
      '/users/{id}.json': item('file'),
      '/users/{id}:archive': item('archive'),
      '/': item('root', ''),
    }),
  )
  const found = (path: string): string | undefined => contract.checkRequest(get(path)).operation?.operationId
  expect(['/users/1', '/users/me', '/users/1/posts', '/users/1.json', '/users/1:archive', '/', ''].map(found)).toEqual([
    'user',
    'me',
    'posts',
    'file',
    'archive',
    'root',
    'root',
  ])
  expect(['/users', '/users/', '/users/1/', '/Users/1', '/users/1/2'].map(found)).toEqual(Array(5).fill(undefined))
  expect(contract.checkRequest(get('/user/1')).violations[0]?.message).toBe(
    'is not known to the document; did you mean `/users/{id}`?',
  )
  const { operation, violations } = contract.checkRequest(get('/users/me', {}, 'DELETE'))
  expect(operation).toBeUndefined()
  expect(violations).toMatchObject([
    { part: 'method', value: 'DELETE', ruleAt: '/paths/~1users~1me', message: '`/users/me` has GET only' },
  ])
})

test('base URLs: of the document with its variables, of a path, of an operation, and those given in their place', async () => {
  const responses = { 200: { description: '' } }
  const document = {
    ...documentOf({
      '/things': { get: { responses } },
      '/files': { servers: [{ url: 'https://files.example.test/' }], get: { responses }, post: { responses } },
      '/logs': { post: { servers: [{ url: 'https://logs.example.test/v2' }], responses } },
    }),
    servers: [
      {
        url: 'https://{region}.example.test:{port}/v1',
        variables: { region: { default: 'eu', enum: ['eu', 'us'] }, port: { default: '8443' } },
      },
    ],
  }
  const contract = await openContract(document)
  const works = (url: string, method?: string): boolean =>
    contract.checkRequest(get(url, {}, method)).violations.length === 0
  expect(works('https://eu.example.test:8443/v1/things')).toBe(true)
  expect(works('https://US.example.test:9/v1/things')).toBe(true)
  expect(works('https://files.example.test/files', 'POST')).toBe(true)
  expect(works('https://logs.example.test/v2/logs', 'POST')).toBe(true)
  expect(works('https://eu.example.test:8443/v1/files')).toBe(false)
  expect(contract.covers('https://asia.example.test:8443/v1/things')).toBe(false)
  expect(contract.checkRequest(get('https://asia.example.test:8443/v1/things'))).toMatchObject({
    operation: undefined,
    violations: [{ part: 'path', rule: 'servers', value: 'https://asia.example.test:8443/v1/things' }],
  })
  expect(contract.covers('https://eu.example.test:8443/v10/things')).toBe(false)
  expect(contract.covers('https://logs.example.test/v2')).toBe(true)
  expect(contract.covers('nonsense')).toBe(false)

  const local = await openContract(document, { baseUrl: ['http://127.0.0.1:4000/stripe/', 'http://localhost:4000'] })
  expect(local.checkRequest(get('http://127.0.0.1:4000/stripe/things')).violations).toEqual([])
  expect(local.checkRequest(get('http://localhost:4000/things?a=1#b')).violations).toMatchObject([{ part: 'query' }])
  expect(local.covers('https://eu.example.test:8443/v1/things')).toBe(false)
  expect(local.covers('https://files.example.test/files')).toBe(true)
  expect(local.covers(`${base}/things`)).toBe(false)
})
