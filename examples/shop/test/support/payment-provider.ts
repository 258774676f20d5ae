import { defineMock } from 'vivarium/mock'
import { z } from 'zod'
import type {
  CardCheck,
  ChargeRequest,
  ChargeResult,
  FoundCharge,
  PaymentGateway,
  RefundRequest,
} from '../../src/payments/payment-gateway.ts'

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
      findCharge: {
        args: [z.strictObject({ idempotencyKey: z.uuid() })],
        result: z.strictObject({ providerId: z.string().min(1) }).optional(),
      },
      refund: { args: [refund] },
    },
  },
})

/** Takes every card, and the whole sum, once for each key; knows what it has taken and given back. */
export class ObligingGateway implements PaymentGateway {
  readonly #charges = new Map<string, { providerId: string; capturedCents: number }>()
  readonly #refunded = new Set<string>()

  async charge({ amountCents, idempotencyKey }: ChargeRequest): Promise<ChargeResult> {
    const known = this.#charges.get(idempotencyKey)
    const charge = known ?? { providerId: `ch_${this.#charges.size + 1}`, capturedCents: amountCents }
    this.#charges.set(idempotencyKey, charge)
    return { status: 'succeeded', ...charge }
  }

  async findCharge({ idempotencyKey }: { idempotencyKey: string }): Promise<FoundCharge | undefined> {
    const charge = this.#charges.get(idempotencyKey)
    return charge && { providerId: charge.providerId }
  }

  async checkCard(): Promise<CardCheck> {
    return { status: 'accepted' }
  }

  async refund({ providerId }: RefundRequest): Promise<void> {
    this.#refunded.add(providerId)
  }

  /** The charges that have not been given back. */
  get kept(): string[] {
    return [...this.#charges.values()].map(({ providerId }) => providerId).filter((id) => !this.#refunded.has(id))
  }
}

/** What the provider does in a test that says nothing else of it. */
export function takeEveryCard(): ObligingGateway {
  const gateway = new ObligingGateway()
  provider.stubAll(gateway)
  return gateway
}
