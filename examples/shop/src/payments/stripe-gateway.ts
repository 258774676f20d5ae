import Stripe from 'stripe'
import type { ChargeResult, PaymentGateway } from './payment-gateway.ts'

export interface StripeGatewayOptions {
  readonly secretKey: string
  /** How long one attempt may take, in milliseconds. */
  readonly timeoutMs?: number
}

/** Payments through Stripe. An attempt that fails on the way, or for a reason of Stripe's own, is repeated with the same key. */
export function createStripeGateway({ secretKey, timeoutMs = 10_000 }: StripeGatewayOptions): PaymentGateway {
  const stripe = new Stripe(secretKey, { timeout: timeoutMs, maxNetworkRetries: 1, telemetry: false })
  return {
    async charge({ amountCents, cardToken, idempotencyKey }) {
      try {
        const charge = await stripe.charges.create(
          { amount: amountCents, currency: 'usd', source: cardToken },
          { idempotencyKey },
        )
        return resultOf(charge)
      } catch (error) {
        if (!(error instanceof Stripe.errors.StripeCardError)) throw error
        return { status: 'declined', reason: error.decline_code ?? error.code ?? error.message }
      }
    },

    async refund({ providerId, idempotencyKey }) {
      await stripe.refunds.create({ charge: providerId }, { idempotencyKey })
    },
  }
}

function resultOf({ id, status, amount_captured, failure_code }: Stripe.Charge): ChargeResult {
  if (status === 'failed') return { status: 'declined', reason: failure_code ?? 'failed' }
  if (status === 'pending')
    throw new Error(`Charge ${id} is pending: the shop takes cards only, which are charged at once.`)
  return { status: 'succeeded', providerId: id, capturedCents: amount_captured }
}
