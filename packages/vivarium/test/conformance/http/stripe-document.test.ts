// The shop's document of Stripe, its official SDK, and what each mistake of the application or of a stub is told as.
import { fileURLToPath } from 'node:url'
import Stripe from 'stripe'
import { expect, test } from 'vitest'
import { wrapText } from '../../../src/core/wrap-text.ts'
import { defineService, openContract } from '../../../src/http/index.ts'
import { withSandbox } from './with-sandbox.ts'

const document = fileURLToPath(
  new URL('../../../../../examples/shop/test/support/stripe.openapi.json', import.meta.url),
)
const { run } = withSandbox()
const service = defineService('Stripe', 'https://api.stripe.com', { contract: openContract(document) })
const stripe = new Stripe('sk_test_1', { maxNetworkRetries: 0, telemetry: false })
const metadata = { attempt: '7c9e6679-7425-40de-944b-e07fc1f90ae7' }
const right = { amount: 10_000, currency: 'usd', source: 'tok_visa', metadata }
const charge = {
  id: 'ch_123',
  object: 'charge',
  amount: 10_000,
  amount_captured: 10_000,
  currency: 'usd',
  paid: true,
  status: 'succeeded',
}

async function reported(params: object, answer: object = charge): Promise<string> {
  const { failures } = await run(async () => {
    service.stub('POST /v1/charges').replies({ json: answer })
    await stripe.charges.create(params as Stripe.ChargeCreateParams, { idempotencyKey: 'key' }).catch(() => undefined)
  })
  return failures.map((failure) => wrapText(failure)).join('\n\n')
}

test('what the document allows passes', async () => {
  expect(await reported(right)).toBe('')
})

test('an amount that is a text', async () => {
  expect(await reported({ ...right, amount: 'a lot' })).toMatchInlineSnapshot(`
    "POST https://api.stripe.com/v1/charges: this request breaks the contract of
      Stripe, which would refuse it.
      Seen: the rules that it breaks
        request body /amount: must be an integer, is a string
            value: 'a lot'
            rule:  type at #/paths/~1v1~1charges/post/requestBody/content
                   /application~1x-www-form-urlencoded/schema/properties/amount/type
      What to do: Repair what makes the request; or the document, where the service
        takes it.
      (HTTP_CONTRACT_BROKEN)"
  `)
})

test('no currency', async () => {
  expect(await reported({ amount: 10_000, source: 'tok_visa', metadata })).toMatchInlineSnapshot(`
    "POST https://api.stripe.com/v1/charges: this request breaks the contract of
      Stripe, which would refuse it.
      Seen: the rules that it breaks
        request body /currency: is missing; it is required
            rule:  required at #/paths/~1v1~1charges/post/requestBody/content
                   /application~1x-www-form-urlencoded/schema/required
      What to do: Repair what makes the request; or the document, where the service
        takes it.
      (HTTP_CONTRACT_BROKEN)"
  `)
})

test('a field that Stripe does not know', async () => {
  expect(await reported({ ...right, reason: { order: '17' } })).toMatchInlineSnapshot(`
    "POST https://api.stripe.com/v1/charges: this request breaks the contract of
      Stripe, which would refuse it.
      Seen: the rules that it breaks
        request body /reason: is not known here; known: amount, currency, source,
          metadata
            value: { order: '17' }
            rule:  additionalProperties at #/paths/~1v1~1charges/post/requestBody
                   /content/application~1x-www-form-urlencoded/schema
                   /additionalProperties
      What to do: Repair what makes the request; or the document, where the service
        takes it.
      (HTTP_CONTRACT_BROKEN)"
  `)
})

test('a charge without id in the answer', async () => {
  const { id: _, ...rest } = charge
  expect(await reported(right, rest)).toMatchInlineSnapshot(`
    "POST https://api.stripe.com/v1/charges: the test's answer breaks the contract of
      Stripe, which never answers so.
        Answered by POST /v1/charges, defined at <file>:<line>
      Seen: the rules that it breaks
        response body /id: is missing; it is required
            rule:  required at #/components/schemas/Charge/required
      What to do: Repair the answer in the test; or the document, where the service
        does answer so.
      (HTTP_CONTRACT_BROKEN)"
  `)
})
