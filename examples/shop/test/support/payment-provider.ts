import { defineMock } from 'vivarium/mock'
import { z } from 'zod'
import type { CardCheck, ChargeRequest, ChargeResult, PaymentGateway } from '../../src/payments/payment-gateway.ts'

const charge = z.strictObject({
  amountCents: z.int().positive(),
  cardToken: z.string().startsWith('tok_'),
  idempotencyKey: z.uuid(),
})

const charged = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('succeeded'), providerId: z.string().min(1), capturedCents: z.int().positive() }),
  z.strictObject({ status: z.literal('declined'), reason: z.string().min(1) }),
])

const cardCheck = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('accepted') }),
  z.strictObject({ status: z.literal('declined'), reason: z.string().min(1) }),
])

const refund = z.strictObject({ providerId: z.string().min(1), idempotencyKey: z.string().endsWith(':refund') })

/** Stands in for the payment provider. What the shop asks of it, and what a test lets it answer, is checked by its rules. */
export const provider = defineMock<PaymentGateway>('PaymentGateway', {
  contract: {
    functions: {
      charge: { args: [charge], result: charged },
      checkCard: { args: [z.strictObject({ cardToken: z.string().startsWith('tok_') })], result: cardCheck },
      refund: { args: [refund] },
    },
  },
})

/** Takes every card, and the whole sum. */
class ObligingGateway implements PaymentGateway {
  #charges = 0

  async charge({ amountCents }: ChargeRequest): Promise<ChargeResult> {
    return { status: 'succeeded', providerId: `ch_${++this.#charges}`, capturedCents: amountCents }
  }

  async checkCard(): Promise<CardCheck> {
    return { status: 'accepted' }
  }

  async refund(): Promise<void> {}
}

/** What the provider does in a test that says nothing else of it. */
export function takeEveryCard(): void {
  provider.stubAll(new ObligingGateway())
}
