import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkValue, openBodies } from '../../../test/support/contracts.ts'

/** `C` refers to nothing, `B` to `C` in place, `A` to both; below a property or an item each may refer to each. */
const names = ['A', 'B', 'C'] as const
type Name = (typeof names)[number]

const ref = (name: Name): object => ({ $ref: `#/components/schemas/${name}` })
const anyRef = fc.constantFrom(...names).map(ref)
const keys = fc.constantFrom('a', 'b', 'c')

/** Schemas of every kind that composes others; those in place refer to `inPlace` only, so that none is part of itself. */
function schemasOf(inPlace: readonly Name[]): fc.Arbitrary<object> {
  const plain = fc.constantFrom<object>(
    { type: 'string' },
    { type: 'integer', minimum: 1 },
    { type: 'object' },
    { enum: ['x', 1, null] },
    { const: 'x' },
    { required: ['a'] },
    { minProperties: 1 },
    {},
  )
  const here = inPlace.length === 0 ? plain : fc.oneof(plain, fc.constantFrom(...inPlace).map(ref))
  const { schema } = fc.letrec<{ schema: object }>((tie) => {
    const below = fc.oneof({ depthSize: 'small' }, tie('schema'), anyRef)
    const some = fc.array(tie('schema'), { minLength: 1, maxLength: 3 })
    return {
      schema: fc.oneof(
        { depthSize: 'small' },
        here,
        fc.record(
          {
            type: fc.constantFrom('object', ['object', 'string']),
            properties: fc.dictionary(keys, below, { maxKeys: 3 }),
            required: fc.subarray(['a', 'b']),
            additionalProperties: fc.oneof(fc.boolean(), below),
          },
          { requiredKeys: ['properties'] },
        ),
        fc.record({ items: below, minItems: fc.nat(2) }, { requiredKeys: ['items'] }),
        fc.tuple(below, below).map((prefixItems) => ({ prefixItems, unevaluatedItems: false })),
        fc.record({ allOf: some, unevaluatedProperties: fc.oneof(fc.boolean(), below) }, { requiredKeys: ['allOf'] }),
        fc.record(
          { anyOf: some, properties: fc.dictionary(keys, below, { maxKeys: 2 }), unevaluatedProperties: fc.boolean() },
          { requiredKeys: ['anyOf'] },
        ),
        fc.record({ oneOf: some, required: fc.subarray(['a']) }, { requiredKeys: ['oneOf'] }),
        tie('schema').map((not) => ({ not })),
        fc.tuple(here, tie('schema')).map(([beside, more]) => ({ ...more, ...beside })),
        fc.dictionary(keys, tie('schema'), { maxKeys: 2 }).map((dependentSchemas) => ({ dependentSchemas })),
        fc.tuple(tie('schema'), tie('schema'), fc.boolean()).map(([condition, other, isClosed]) => ({
          if: condition,
          else: other,
          properties: { c: {} },
          ...(isClosed ? { unevaluatedProperties: false } : {}),
        })),
      ),
    }
  })
  return schema
}

const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<unknown>('x', 'y', 0, 1, 2, null, true),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(keys, tie('value'), { maxKeys: 3 }),
  ),
})).value

const documents = fc.record({ A: schemasOf(['B', 'C']), B: schemasOf(['C']), C: schemasOf([]) })

// Ajv reads the whole document at once; here it is compiled piece by piece, with keywords of ours in between.
test('a value is valid exactly where Ajv finds it so with the whole document', async () => {
  await fc.assert(
    fc.asyncProperty(documents, fc.array(values, { minLength: 8, maxLength: 8 }), async (schemas, sent) => {
      const contract = await openBodies({ request: ref('A'), components: schemas })
      const ajv = new Ajv2020({ strict: false, validateSchema: false, logger: false })
      const whole = ajv.compile({ components: { schemas }, ...ref('A') })
      expect(sent.map((value) => checkValue(contract, value).length === 0)).toEqual(sent.map((value) => whole(value)))
    }),
    { numRuns: 150 },
  )
})
