import { setTimeout as sleep } from 'node:timers/promises'
import type { CardCheck, ChargeRequest, PaymentGateway } from '../src/payments/payment-gateway.ts'

export interface PretendCharge {
  readonly providerId: string
  readonly amountCents: number
  refunded: boolean
}

export interface PretendStripe extends PaymentGateway {
  /** What would have been charged. */
  readonly charges: readonly PretendCharge[]
}

/** Stands in for Stripe. It declines Stripe's own test tokens for that, and takes every other card. Like Stripe, it charges once per key. */
export function createPretendStripe({ latencyMs = 20 }: { latencyMs?: number } = {}): PretendStripe {
  const charges: PretendCharge[] = []
  const byKey = new Map<string, PretendCharge>()

  function chargeOf({ idempotencyKey, amountCents }: ChargeRequest): PretendCharge {
    const known = byKey.get(idempotencyKey)
    if (known) return known
    const charge = { providerId: `ch_pretend_${charges.length + 1}`, amountCents, refunded: false }
    byKey.set(idempotencyKey, charge)
    charges.push(charge)
    return charge
  }

  return {
    charges,

    async checkCard({ cardToken }) {
      await sleep(latencyMs)
      return check(cardToken)
    },

    async charge(request) {
      await sleep(latencyMs)
      const checked = check(request.cardToken)
      if (checked.status === 'declined') return checked
      const { providerId, amountCents } = chargeOf(request)
      return { status: 'succeeded', providerId, capturedCents: amountCents }
    },

    async findCharge({ idempotencyKey }) {
      const charge = byKey.get(idempotencyKey)
      return charge && { providerId: charge.providerId }
    },

    async refund({ providerId }) {
      const charge = charges.find((one) => one.providerId === providerId)
      if (charge === undefined) throw new Error(`There is no charge ${providerId}.`)
      charge.refunded = true
    },
  }
}

function check(cardToken: string): CardCheck {
  return cardToken.startsWith('tok_chargeDeclined')
    ? { status: 'declined', reason: 'generic_decline' }
    : { status: 'accepted' }
}
