// The double is no better than what it stands for: one set of tests for the Stripe implementation and for the double.
import { http, HttpResponse } from 'msw'
import { describe, expect, test } from 'vitest'
import { describeContract } from 'vivarium/mock'
import type { PaymentGateway } from '../../src/payments/payment-gateway.ts'
import { createStripeGateway } from '../../src/payments/stripe-gateway.ts'
import { provider, takeEveryCard } from '../support/payment-provider.ts'
import { acceptCard, charged, stripe } from '../support/stripe.ts'

const request = { amountCents: 10_000, cardToken: 'tok_visa', idempotencyKey: '0b9b3a1e-6c1d-4a53-9f0a-2f0c6a0d7b11' }

function openStripe(): PaymentGateway {
  stripe.stub('POST /v1/charges').replies(charged('ch_1', 10_000))
  stripe.stub(
    http.get('/v1/charges/search', ({ request: asked }) => {
      const isKnown = new URL(asked.url).searchParams.get('query')?.includes(request.idempotencyKey)
      const data = isKnown ? [charged('ch_1', 10_000).json] : []
      return HttpResponse.json({ object: 'search_result', data, has_more: false })
    }),
  )
  stripe.stub('POST /v1/refunds')
  acceptCard()
  return createStripeGateway({ secretKey: 'sk_test_shop' })
}

function openDouble(): PaymentGateway {
  takeEveryCard()
  return provider.double
}

describeContract<PaymentGateway>(
  'PaymentGateway',
  { real: openStripe, double: openDouble },
  (open) => {
    test('a charge that succeeds says what it is called, and takes the whole sum', async () => {
      // Given a gateway that takes the card
      const gateway = await open()

      // When it is charged
      const result = await gateway.charge(request)

      // Then it says so
      expect(result).toEqual({
        status: 'succeeded',
        providerId: expect.stringMatching(/^ch_/),
        capturedCents: request.amountCents,
      })
    })

    test('a charge is found by its key, and by no other', async () => {
      // Given a charge
      const gateway = await open()
      await gateway.charge(request)

      // When it is looked for, then it is found under the key that it was made for
      const { idempotencyKey } = request
      expect(await gateway.findCharge({ idempotencyKey })).toEqual({ providerId: 'ch_1' })
      const other = 'b0a7f0c8-11f5-4b43-9d43-8a7f4f7b2f10'
      expect(await gateway.findCharge({ idempotencyKey: other })).toBeUndefined()
    })

    test('a card that can be charged is accepted', async () => {
      // Given a gateway that takes the card, when it is checked, then it says so
      const gateway = await open()
      expect(await gateway.checkCard({ cardToken: 'tok_visa' })).toEqual({ status: 'accepted' })
    })

    test('a refund of that charge ends without a word', async () => {
      // Given a charge
      const gateway = await open()
      await gateway.charge(request)

      // When it is given back, and then there is nothing to be said
      const refund = { providerId: 'ch_1', idempotencyKey: `${request.idempotencyKey}:refund` }
      expect(await gateway.refund(refund)).toBeUndefined()
    })
  },
  { describe },
)
