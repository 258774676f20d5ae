import { fileURLToPath } from 'node:url'
import { defineService, openContract } from 'vivarium/http'
import type { AnswerOptions } from 'vivarium/http'

const document = fileURLToPath(new URL('stripe.openapi.json', import.meta.url))

/** Stripe. What the shop asks of it, and what a test lets it answer, is checked against the document. */
export const stripe = defineService('Stripe', 'https://api.stripe.com', { contract: openContract(document) })

type JsonAnswer = AnswerOptions & { json: JsonBody }
/** What both the short form and a handler of MSW take. */
type JsonBody = Record<string, unknown>

/** Stripe's answer to a charge that succeeded. */
export function charged(id: string, amount: number): JsonAnswer {
  return {
    json: { id, object: 'charge', amount, amount_captured: amount, currency: 'usd', paid: true, status: 'succeeded' },
  }
}

/** Stripe's answer to a card that the bank declines. */
export function declined(reason: string): JsonAnswer {
  const message = 'Your card was declined.'
  return { status: 402, json: { error: { type: 'card_error', code: 'card_declined', decline_code: reason, message } } }
}

/** Stripe's answers to a card that is checked and accepted. */
export function acceptCard(): void {
  stripe.stub('POST /v1/payment_methods').replies({ json: { id: 'pm_1', object: 'payment_method', type: 'card' } })
  stripe.stub('POST /v1/setup_intents').replies({ json: { id: 'seti_1', object: 'setup_intent', status: 'succeeded' } })
}
