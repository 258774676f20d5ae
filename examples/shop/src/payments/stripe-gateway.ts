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
          { amount: amountCents, currency: 'usd', source: cardToken, metadata: { attempt: idempotencyKey } },
          { idempotencyKey },
        )
        return resultOf(charge)
      } catch (error) {
        return declined(error)
      }
    },

    async checkCard({ cardToken }) {
      try {
        const method = await stripe.paymentMethods.create({ type: 'card', card: { token: cardToken } })
        const intent = await stripe.setupIntents.create({
          payment_method: method.id,
          automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
          usage: 'off_session',
          confirm: true,
        })
        // Anything else wants the user to do more, and they will not be there when the card is charged.
        return intent.status === 'succeeded' ? { status: 'accepted' } : { status: 'declined', reason: intent.status }
      } catch (error) {
        return declined(error)
      }
    },

    async findCharge({ idempotencyKey }) {
      // By what it was for: an idempotency key is known to Stripe for some time only, and cannot be asked for.
      const query = `metadata['attempt']:'${idempotencyKey}' AND status:'succeeded'`
      const { data } = await stripe.charges.search({ query, limit: 1 })
      return data[0] && { providerId: data[0].id }
    },

    async refund({ providerId, idempotencyKey }) {
      try {
        await stripe.refunds.create({ charge: providerId }, { idempotencyKey })
      } catch (error) {
        if (!(error instanceof Stripe.errors.StripeError && error.code === 'charge_already_refunded')) throw error
      }
    },
  }
}

/** What the card's bank said; any other failure is thrown on. */
function declined(error: unknown): { status: 'declined'; reason: string } {
  if (!(error instanceof Stripe.errors.StripeCardError)) throw error
  return { status: 'declined', reason: error.decline_code ?? error.code ?? error.message }
}

function resultOf({ id, status, amount_captured, failure_code }: Stripe.Charge): ChargeResult {
  if (status === 'failed') return { status: 'declined', reason: failure_code ?? 'failed' }
  if (status === 'pending')
    throw new Error(`Charge ${id} is pending: the shop takes cards only, which are charged at once.`)
  return { status: 'succeeded', providerId: id, capturedCents: amount_captured }
}
