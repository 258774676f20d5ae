import { fileURLToPath } from 'node:url'
import { defineService, openContract } from 'vivarium/http'
import type { AnswerOptions } from 'vivarium/http'

const document = fileURLToPath(new URL('stripe.openapi.json', import.meta.url))

/** Stripe. What the shop asks of it, and what a test lets it answer, is checked against the document. */
export const stripe = defineService('Stripe', 'https://api.stripe.com', { contract: openContract(document) })

/** Stripe's answer to a charge that succeeded. */
export function charged(id: string, amount: number): AnswerOptions {
  return {
    json: { id, object: 'charge', amount, amount_captured: amount, currency: 'usd', paid: true, status: 'succeeded' },
  }
}

/** Stripe's answer to a card that the bank declines. */
export function declined(reason: string): AnswerOptions {
  const message = 'Your card was declined.'
  return { status: 402, json: { error: { type: 'card_error', code: 'card_declined', decline_code: reason, message } } }
}
