import { expect, test } from 'vitest'
import {
  answerJson,
  byName,
  checkAnswer,
  checkValue,
  conditional,
  openBodies,
  postJson,
} from '../../../test/support/contracts.ts'

const integer = { type: 'integer' }
const text = { type: 'string' }

/** Schemas of both versions, and values with what is wrong with them. */
const cases: readonly {
  name: string
  openapi?: '3.0.3'
  request: unknown
  components?: Record<string, unknown>
  values: readonly (readonly [value: unknown, ...violations: string[]])[]
}[] = [
  {
    name: 'types',
    request: {
      properties: {
        a: integer,
        b: { type: ['string', 'null'] },
        c: { type: 'number' },
        d: { type: 'array', items: text },
      },
    },
    values: [
      [{ a: 1, b: null, c: 1.5, d: ['x'] }],
      [{ a: 1.5, b: 1, c: '1', d: [1] }, 'body /a type', 'body /b type', 'body /c type', 'body /d/0 type'],
    ],
  },
  {
    name: 'bounds',
    request: {
      type: 'object',
      properties: {
        n: { type: 'number', exclusiveMinimum: 0, maximum: 10, multipleOf: 0.01 },
        s: { type: 'string', minLength: 2, pattern: '^[a-z]+$' },
        a: { type: 'array', minItems: 1, uniqueItems: true },
        f: { type: 'string', format: 'date-time' },
      },
      minProperties: 1,
    },
    values: [
      [{ n: 0.07 }],
      [{ n: 19.99 }, 'body /n maximum'],
      [{ n: 0 }, 'body /n exclusiveMinimum'],
      [{ n: 0.001 }, 'body /n multipleOf'],
      [{ s: 'A' }, 'body /s minLength', 'body /s pattern'],
      [{ a: [] }, 'body /a minItems'],
      [{ a: [1, 1] }, 'body /a uniqueItems'],
      [{ f: '2024-13-01' }, 'body /f format'],
      [{}, 'body minProperties'],
    ],
  },
  {
    name: 'keywords of 2020-12',
    request: {
      properties: {
        tuple: { prefixItems: [text, integer], items: false },
        some: { contains: { const: 1 }, minContains: 2 },
        keyed: { patternProperties: { '^x_': integer }, additionalProperties: false },
        named: { propertyNames: { maxLength: 2 } },
        pair: { dependentRequired: { a: ['b'] } },
        card: {
          ...conditional({ properties: { kind: { const: 'card' } } }, { required: ['number'] }),
          else: { required: ['iban'] },
        },
        never: false,
        anything: true,
      },
    },
    values: [
      [{ tuple: ['a', 1], some: [1, 1], keyed: { x_a: 1 }, named: { ab: 1 }, pair: { a: 1, b: 1 }, anything: {} }],
      [{ tuple: ['a', 1, 2] }, 'body /tuple items'],
      [{ tuple: [1] }, 'body /tuple/0 type'],
      [{ some: [1] }, 'body /some contains'],
      [{ keyed: { y: 1 } }, 'body /keyed/y additionalProperties'],
      [{ keyed: { x_a: 'x' } }, 'body /keyed/x_a type'],
      [{ named: { abc: 1 } }, 'body /named propertyNames'],
      [{ pair: { a: 1 } }, 'body /pair/b dependentRequired'],
      [{ card: { kind: 'card' } }, 'body /card/number required'],
      [{ card: { kind: 'bank' } }, 'body /card/iban required'],
      [{ never: 1 }, 'body /never false'],
    ],
  },
  {
    name: 'nullable in 3.0: null is valid, beside an enum, a reference and alternatives, too',
    openapi: '3.0.3',
    request: {
      properties: {
        a: { type: 'string', nullable: true },
        b: { type: 'string', enum: ['x'], nullable: true },
        c: { allOf: [{ $ref: '#/components/schemas/Thing' }], nullable: true },
        d: { anyOf: [{ $ref: '#/components/schemas/Thing' }, text], nullable: true },
        e: text,
      },
    },
    components: { Thing: { type: 'object', required: ['id'] } },
    values: [
      [{ a: null, b: null, c: null, d: null }],
      [{ a: 1, b: 'y', e: null }, 'body /a type', 'body /b enum', 'body /e type'],
      [{ c: {}, d: {} }, 'body /c/id required', 'body /d/id required'],
    ],
  },
  {
    name: 'bounds and references as 3.0 has them',
    openapi: '3.0.3',
    request: {
      properties: {
        n: { type: 'integer', minimum: 5, exclusiveMinimum: true, maximum: 9, exclusiveMaximum: false },
        r: { $ref: '#/components/schemas/Text', maxLength: 1 },
      },
      example: { n: 5 },
    },
    components: { Text: text },
    values: [
      [{ n: 6, r: 'what stands beside a reference is not read' }],
      [{ n: 9 }],
      [{ n: 5 }, 'body /n exclusiveMinimum'],
    ],
  },
  {
    name: 'what stands beside a reference in 3.1',
    request: { properties: { r: { $ref: '#/components/schemas/Text', maxLength: 1 } } },
    components: { Text: text },
    values: [[{ r: 'a' }], [{ r: 'ab' }, 'body /r maxLength'], [{ r: 1 }, 'body /r type']],
  },
  {
    name: 'schemas that contain themselves below a property or an item',
    request: { $ref: '#/components/schemas/Tree' },
    components: {
      Tree: {
        type: 'object',
        required: ['name'],
        properties: {
          name: text,
          parent: { anyOf: [{ $ref: '#/components/schemas/Tree' }, { type: 'null' }] },
          children: { type: 'array', items: { $ref: '#/components/schemas/Tree' } },
        },
        additionalProperties: false,
      },
    },
    values: [
      [{ name: 'a', parent: null, children: [{ name: 'b', children: [] }] }],
      [{ name: 'a', children: [{ name: 'b', children: [{}] }] }, 'body /children/0/children/0/name required'],
      [{ name: 'a', parent: { name: 'b', parent: { name: 1 } } }, 'body /parent/parent/name type'],
    ],
  },
  {
    name: 'alternatives: the one that is meant is told, else all',
    request: {
      properties: {
        source: {
          anyOf: [
            { type: 'string', maxLength: 3 },
            { $ref: '#/components/schemas/Card' },
            { $ref: '#/components/schemas/Bank' },
          ],
        },
        one: { oneOf: [{ required: ['a'] }, { required: ['b'] }] },
      },
    },
    components: {
      Card: { type: 'object', properties: { object: { const: 'card' }, number: text }, required: ['object', 'number'] },
      Bank: { type: 'object', properties: { object: { const: 'bank' }, iban: text }, required: ['object', 'iban'] },
    },
    values: [
      [{ source: 'tok' }],
      [{ source: { object: 'card', number: '4' } }],
      [{ source: 'tok_visa' }, 'body /source maxLength'],
      [{ source: { object: 'bank', iban: 4 } }, 'body /source/iban type'],
      [{ source: { object: 'cash' } }, 'body /source anyOf'],
      [{ source: 5 }, 'body /source anyOf'],
      [{ one: { a: 1 } }],
      [{ one: { a: 1, b: 1 } }, 'body /one oneOf'],
      [{ one: {} }, 'body /one oneOf'],
    ],
  },
  {
    name: 'a discriminator chooses, by a mapping or by name',
    openapi: '3.0.3',
    request: {
      oneOf: [{ $ref: '#/components/schemas/Cat' }, { $ref: '#/components/schemas/Dog' }],
      discriminator: { propertyName: 'kind', mapping: { meow: '#/components/schemas/Cat' } },
    },
    components: {
      Cat: { type: 'object', required: ['kind', 'lives'], properties: { kind: text, lives: integer } },
      Dog: { type: 'object', required: ['kind', 'barks'], properties: { kind: text } },
    },
    values: [
      [{ kind: 'meow', lives: 9 }],
      [{ kind: 'Dog', barks: true }],
      [{ kind: 'meow', lives: 'nine' }, 'body /lives type'],
      [{ kind: 'Dog', lives: 9 }, 'body /barks required'],
      [{ kind: 'Cat', lives: 9 }, 'body /kind discriminator'],
      [{ lives: 9 }, 'body /kind discriminator'],
      ['cat', 'body oneOf'],
    ],
  },
  {
    name: 'unevaluatedProperties looks through references and alternatives',
    request: {
      allOf: [{ $ref: '#/components/schemas/Base' }],
      anyOf: [{ $ref: '#/components/schemas/A' }, { properties: { b: integer }, required: ['b'] }],
      properties: { own: integer },
      unevaluatedProperties: false,
    },
    components: {
      Base: { type: 'object', properties: { id: integer }, required: ['id'] },
      A: { properties: { a: { $ref: '#/components/schemas/Base' } }, required: ['a'] },
    },
    values: [
      [{ id: 1, own: 1, a: { id: 1, more: 1 } }],
      [{ id: 1, b: 1 }],
      [{ id: 1, b: 1, c: 1 }, 'body /c unevaluatedProperties'],
      [{ id: 'x', b: 1 }, 'body /id type'],
      [{ id: 1, b: 'x' }, 'body anyOf'],
      [{ id: 1, a: {} }, 'body anyOf'],
    ],
  },
  {
    name: 'a field that the schema does not list is allowed, as the document has it',
    request: { type: 'object', properties: { a: integer } },
    values: [[{ a: 1, b: 2 }]],
  },
  {
    name: 'names of JavaScript’s own objects are names like any other',
    request: {
      type: 'object',
      properties: { constructor: integer, toString: integer },
      required: ['valueOf'],
      additionalProperties: false,
    },
    values: [
      [{ valueOf: 1 }, 'body /valueOf additionalProperties'],
      [{ constructor: 'x' }, 'body /valueOf required', 'body /constructor type'],
    ],
  },
]

test.each(byName(cases))('schemas: %s', async (_name, { openapi, request, components, values }) => {
  const contract = await openBodies({ openapi, request, components })
  expect(values.map(([value]) => [value, ...checkValue(contract, value)])).toEqual(values)
})

test('readOnly fields are not sent, writeOnly ones not answered, and neither is required on the other side', async () => {
  const User = {
    type: 'object',
    required: ['id', 'name', 'password'],
    properties: { id: { $ref: '#/components/schemas/Id' }, name: text, password: { type: 'string', writeOnly: true } },
  }
  const schema = { $ref: '#/components/schemas/User' }
  const components = { User, Id: { type: 'integer', readOnly: true } }
  const contract = await openBodies({ request: schema, response: schema, components })
  expect(checkValue(contract, { name: 'A', password: 'x' })).toEqual([])
  expect(checkAnswer(contract, { id: 1, name: 'A' })).toEqual([])
  expect(checkValue(contract, { id: 1, name: 'A' })).toEqual(['body /password required', 'body /id readOnly'])
  expect(checkAnswer(contract, { name: 'A', password: 'x' })).toEqual(['body /id required', 'body /password writeOnly'])
  const [, violation] = contract.checkRequest(postJson('/things', { id: 1, name: 'A' })).violations
  expect(violation).toMatchObject({ ruleAt: '/components/schemas/User/properties/id/readOnly', value: 1 })
})

test('with unknownFields: refuse, what a schema does not list is refused wherever it says nothing of other fields', async () => {
  const components = {
    Base: { type: 'object', properties: { id: integer }, required: ['id'] },
    Card: { type: 'object', properties: { object: { const: 'card' } } },
  }
  const request = {
    allOf: [{ $ref: '#/components/schemas/Base' }, { properties: { name: text } }],
    properties: {
      source: { anyOf: [{ $ref: '#/components/schemas/Card' }, text] },
      list: { type: 'array', items: { $ref: '#/components/schemas/Base' } },
      metadata: { type: 'object' },
      open: { properties: { a: integer }, additionalProperties: true },
      mapped: { properties: { a: integer }, additionalProperties: text },
    },
  }
  const contract = await openBodies({ request, components }, { unknownFields: 'refuse' })
  const good = {
    id: 1,
    name: 'A',
    source: { object: 'card' },
    list: [{ id: 1 }],
    metadata: { any: 1 },
    open: { b: 1 },
    mapped: { b: '' },
  }
  expect(checkValue(contract, good)).toEqual([])
  expect(checkValue(contract, { ...good, nam: 'A' })).toEqual(['body /nam unknownFields'])
  expect(checkValue(contract, { id: 1, source: { object: 'card', x: 1 } })).toEqual(['body /source/x unknownFields'])
  expect(checkValue(contract, { id: 1, list: [{ id: 1, x: 1 }] })).toEqual(['body /list/0/x unknownFields'])
  expect(checkValue(contract, { id: 1, mapped: { b: 1 } })).toEqual(['body /mapped/b type'])
  expect(checkValue(await openBodies({ request, components }), { ...good, nam: 'A' })).toEqual([])
})

test('a violation has the value, the rule, and the places of both, through references', async () => {
  const components = { Money: { type: 'object', properties: { 'a/b~c': { type: 'integer', minimum: 1 } } } }
  const response = { properties: { total: { $ref: '#/components/schemas/Money' } } }
  const contract = await openBodies({ response, components })
  expect(contract.checkResponse(postJson('/things', {}), answerJson({ total: { 'a/b~c': 0 } }))).toEqual([
    {
      side: 'response',
      part: 'body',
      pointer: '/total/a~1b~0c',
      rule: 'minimum',
      ruleAt: '/components/schemas/Money/properties/a~1b~0c/minimum',
      value: 0,
      message: 'must be at least 1',
    },
  ])
})

test('schemas are compiled when they are first needed, and once', async () => {
  const broken = { type: 'object', properties: { bad: { pattern: '(' } } }
  const contract = await openBodies({ request: broken, response: { type: 'object' } })
  expect(checkAnswer(contract, {})).toEqual([])
  expect(() => checkValue(contract, {})).toThrow(expect.objectContaining({ code: 'CONTRACT_INVALID' }))
})
