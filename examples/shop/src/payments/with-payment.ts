import { inTransaction } from '../database.ts'
import type { Database, Transaction } from '../database.ts'
import { lockOrderForPayment, markOrderPaid } from '../orders/settle-order.ts'
import { changeAttempt, isSettled, noteAttempt } from './attempts.ts'
import { giveBack } from './give-back.ts'
import type { PaymentGateway } from './payment-gateway.ts'
import { payments } from './tables.ts'

export interface Payment {
  readonly id: number
  readonly orderId: number
  /** What the provider took. */
  readonly amountCents: number
  readonly status: 'success'
  /** The provider's name for the charge. */
  readonly providerId: string
}

export type PaymentError = 'payment_failed' | 'unknown_order' | 'already_paid'

export type PaymentResult = { ok: true; payment: Payment } | { ok: false; error: PaymentError }

/** Charges an order's total to a card within the transaction that it was made for, of which it is the only charge. */
export type Pay = (orderId: number, cardToken: string) => Promise<PaymentResult>

interface Attempt {
  readonly idempotencyKey: string
  /** `unknown`: the provider was asked, and has not said. */
  charge: 'none' | 'unknown' | { readonly providerId: string }
}

/**
 * Runs `work` in one transaction that can charge a card. A charge cannot be rolled back: when the transaction fails after
 * one, up to and including its COMMIT, the charge is refunded and the failure is thrown on. A charge of which nobody knows whether it
 * was made, and one whose refund fails, are left to `settleAttempts`.
 */
export async function withPayment<T>(
  { database, gateway }: { database: Database; gateway: PaymentGateway },
  work: (tx: Transaction, pay: Pay) => Promise<T>,
): Promise<T> {
  const attempt: Attempt = { idempotencyKey: await noteAttempt(database), charge: 'none' }
  try {
    const result = await inTransaction(database, (tx) =>
      work(tx, (orderId, cardToken) => payOrder({ tx, gateway, attempt }, orderId, cardToken)),
    )
    if (attempt.charge === 'none') await cancel(database, attempt)
    return result
  } catch (error) {
    if (attempt.charge === 'none') await cancel(database, attempt)
    else await giveUp({ database, gateway, attempt }, error)
    throw error
  }
}

async function payOrder(
  { tx, gateway, attempt }: { tx: Transaction; gateway: PaymentGateway; attempt: Attempt },
  orderId: number,
  cardToken: string,
): Promise<PaymentResult> {
  const { idempotencyKey } = attempt
  const order = await lockOrderForPayment(tx, orderId)
  if (!order) return { ok: false, error: 'unknown_order' }
  if (order.status === 'paid') return { ok: false, error: 'already_paid' }

  attempt.charge = 'unknown'
  const charged = await gateway.charge({ amountCents: order.totalCents, cardToken, idempotencyKey })
  if (charged.status === 'declined') {
    attempt.charge = 'none'
    return { ok: false, error: 'payment_failed' }
  }
  const { providerId, capturedCents } = charged
  attempt.charge = { providerId }

  if (!(await changeAttempt(tx, idempotencyKey, 'settle'))) {
    throw new Error(`The payment attempt ${idempotencyKey} took so long that it was given up.`)
  }
  const [inserted] = await tx
    .insert(payments)
    .values({ orderId, amountCents: capturedCents, status: 'success', providerId, idempotencyKey })
    .returning({ id: payments.id })
  await markOrderPaid(tx, orderId)
  return { ok: true, payment: { id: inserted!.id, orderId, amountCents: capturedCents, status: 'success', providerId } }
}

/** Nothing was charged. If that cannot be written down, `settleAttempts` will find it out. */
async function cancel(database: Database, { idempotencyKey }: Attempt): Promise<void> {
  await changeAttempt(database, idempotencyKey, 'cancel').catch(() => {})
}

/** Gives a charge back whose transaction has failed. */
async function giveUp(
  { database, gateway, attempt }: { database: Database; gateway: PaymentGateway; attempt: Attempt },
  failure: unknown,
): Promise<void> {
  const { idempotencyKey, charge } = attempt
  try {
    const isAbandoned = await changeAttempt(database, idempotencyKey, 'abandon')
    // A connection lost during COMMIT leaves open whether it took place: a payment that stands keeps its charge.
    if (!isAbandoned && (await isSettled(database, idempotencyKey))) return
    if (typeof charge === 'object') await giveBack({ database, gateway }, { idempotencyKey, ...charge })
  } catch (cause) {
    const what =
      typeof charge === 'object' ? `Charge ${charge.providerId}` : `What attempt ${idempotencyKey} has charged`
    throw new AggregateError(
      [failure, cause],
      `The transaction failed after the card had been charged. ${what} could not be given back yet: settleAttempts() will.`,
    )
  }
}
