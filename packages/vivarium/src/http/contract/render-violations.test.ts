import { expect, test } from 'vitest'
import { answerJson, openBodies, post, postJson } from '../../../test/support/contracts.ts'
import { renderViolations } from './render-violations.ts'

const money = {
  type: 'object',
  properties: { amount: { type: 'integer' }, currency: { enum: ['usd', 'eur'] } },
  required: ['currency'],
}

test('what a request breaks, as a person reads it', async () => {
  const request = {
    ...money,
    properties: {
      ...money.properties,
      metadata: { type: 'object', additionalProperties: { type: 'string', maxLength: 40 } },
    },
    additionalProperties: false,
  }
  const contract = await openBodies({ request, type: 'application/x-www-form-urlencoded' })
  const body = `amount=100.00&curency=usd&metadata[note]=${'long '.repeat(20)}`
  const { violations } = contract.checkRequest(post('/things', body, 'application/x-www-form-urlencoded'))
  expect(`\n${renderViolations(violations)}\n`).toMatchInlineSnapshot(`
    "
    request body /currency: is missing; it is required
        rule:  required at #/paths/~1things/post/requestBody/content
               /application~1x-www-form-urlencoded/schema/required
    request body /curency: is not known here; did you mean \`currency\`?
        value: 'usd'
        rule:  additionalProperties at #/paths/~1things/post/requestBody/content
               /application~1x-www-form-urlencoded/schema/additionalProperties
    request body /amount: must be an integer, is a string
        value: '100.00'
        rule:  type at #/paths/~1things/post/requestBody/content
               /application~1x-www-form-urlencoded/schema/properties/amount/type
    request body /metadata/note: must have at most 40 characters
        value: 'long long long long long long long long…long long long long '
        rule:  maxLength at #/paths/~1things/post/requestBody/content
               /application~1x-www-form-urlencoded/schema/properties/metadata
               /additionalProperties/maxLength
    "
  `)
})

test('what a response breaks, as a person reads it', async () => {
  const response = {
    type: 'object',
    properties: {
      charges: { type: 'array', items: { $ref: '#/components/schemas/Charge' } },
    },
  }
  const components = {
    Charge: {
      type: 'object',
      properties: {
        total: money,
        source: { anyOf: [{ $ref: '#/components/schemas/Card' }, { $ref: '#/components/schemas/Bank' }] },
      },
    },
    Card: { properties: { object: { const: 'card' } }, required: ['number'] },
    Bank: { properties: { object: { const: 'bank' } }, required: ['iban'] },
  }
  const contract = await openBodies({ response, components })
  const charges = [
    { total: { amount: 1.5, currency: 'gbp' } },
    { source: { object: 'cash', note: 'n'.repeat(60), place: 'p'.repeat(60) } },
  ]
  const check = (...answer: Parameters<typeof answerJson>): string =>
    renderViolations(contract.checkResponse(postJson('/things', {}), answerJson(...answer)))
  expect(`\n${check({ charges })}\n`).toMatchInlineSnapshot(`
    "
    response body /charges/0/total/amount: must be an integer, is a number
        value: 1.5
        rule:  type at #/components/schemas/Charge/properties/total/properties
               /amount/type
    response body /charges/0/total/currency: must be "usd" or "eur"
        value: 'gbp'
        rule:  enum at #/components/schemas/Charge/properties/total/properties
               /currency/enum
    response body /charges/1/source: fits none of 2 alternatives: Card (/object must
      be "card"); Bank (/object must be "bank")
        value: {
                 object: 'cash',
                 note: 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn',
                 place: 'pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp',
               }
        rule:  anyOf at #/components/schemas/Charge/properties/source/anyOf
    "
  `)
  expect(`\n${check({}, 500)}\n`).toMatchInlineSnapshot(`
    "
    response status: must be 200
        value: 500
        rule:  responses at #/paths/~1things/post/responses
    "
  `)
})

test('no line is longer than 80 columns', async () => {
  const deep = (levels: number): object =>
    levels === 0 ? { type: 'integer' } : { properties: { [`a rather long name of level ${levels}`]: deep(levels - 1) } }
  const wrong = (levels: number): unknown =>
    levels === 0 ? 'x'.repeat(200) : { [`a rather long name of level ${levels}`]: wrong(levels - 1) }
  const contract = await openBodies({ request: deep(6) })
  const text = renderViolations(contract.checkRequest(postJson('/things', wrong(6))).violations)
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
})
