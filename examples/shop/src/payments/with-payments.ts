import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import type { Database, Transaction } from '../database.ts'
import { lockOrderForPayment, markOrderPaid } from '../orders/settle-order.ts'
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

/** Charges an order's total to a card within the transaction that it was made for. */
export type Pay = (orderId: number, cardToken: string) => Promise<PaymentResult>

interface Charge {
  readonly providerId: string
  readonly idempotencyKey: string
}

/**
 * Runs `work` in one transaction that can charge cards. A charge cannot be rolled back: when the transaction fails after
 * one, up to and including its COMMIT, the charge is refunded and the failure is thrown on.
 */
export async function withPayments<T>(
  { database, gateway }: { database: Database; gateway: PaymentGateway },
  work: (tx: Transaction, pay: Pay) => Promise<T>,
): Promise<T> {
  const charges: Charge[] = []
  try {
    return await database.transaction((tx) =>
      work(tx, (orderId, cardToken) => payOrder({ tx, gateway, charges }, orderId, cardToken)),
    )
  } catch (error) {
    const notGivenBack: unknown[] = []
    for (const charge of charges) {
      await giveBack({ database, gateway }, charge).catch((refundFailure: unknown) => notGivenBack.push(refundFailure))
    }
    throw notGivenBack.length === 0 ? error : refundsFailed(error, notGivenBack)
  }
}

async function payOrder(
  { tx, gateway, charges }: { tx: Transaction; gateway: PaymentGateway; charges: Charge[] },
  orderId: number,
  cardToken: string,
): Promise<PaymentResult> {
  const order = await lockOrderForPayment(tx, orderId)
  if (!order) return { ok: false, error: 'unknown_order' }
  if (order.status === 'paid') return { ok: false, error: 'already_paid' }

  const idempotencyKey = randomUUID()
  const charged = await gateway.charge({ amountCents: order.totalCents, cardToken, idempotencyKey })
  if (charged.status === 'declined') return { ok: false, error: 'payment_failed' }
  const { providerId, capturedCents } = charged
  charges.push({ providerId, idempotencyKey })

  const [inserted] = await tx
    .insert(payments)
    .values({ orderId, amountCents: capturedCents, status: 'success', providerId, idempotencyKey })
    .returning({ id: payments.id })
  await markOrderPaid(tx, orderId)
  return { ok: true, payment: { id: inserted!.id, orderId, amountCents: capturedCents, status: 'success', providerId } }
}

async function giveBack(
  { database, gateway }: { database: Database; gateway: PaymentGateway },
  { providerId, idempotencyKey }: Charge,
): Promise<void> {
  try {
    // A connection lost during COMMIT leaves open whether it took place: an order that stands keeps its charge.
    const [booked] = await database.select().from(payments).where(eq(payments.idempotencyKey, idempotencyKey))
    if (!booked) await gateway.refund({ providerId, idempotencyKey: `${idempotencyKey}:refund` })
  } catch (cause) {
    throw new Error(`Charge ${providerId} could not be refunded: refund it by hand.`, { cause })
  }
}

function refundsFailed(failure: unknown, notGivenBack: readonly unknown[]): AggregateError {
  const said = notGivenBack.map((one) => (one instanceof Error ? one.message : String(one)))
  return new AggregateError(
    [failure, ...notGivenBack],
    `The transaction failed after the card had been charged. ${said.join(' ')}`,
  )
}
