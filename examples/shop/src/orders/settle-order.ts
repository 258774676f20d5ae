import { eq } from 'drizzle-orm'
import type { Transaction } from '../database.ts'
import { orders } from './tables.ts'

/** What a payment has to know of an order; locked until the transaction ends, so that no second payment starts meanwhile. */
export async function lockOrderForPayment(
  tx: Transaction,
  orderId: number,
): Promise<{ status: 'pending' | 'paid'; totalCents: number } | undefined> {
  const [order] = await tx
    .select({ status: orders.status, totalCents: orders.totalCents })
    .from(orders)
    .where(eq(orders.id, orderId))
    .for('update')
  return order
}

export async function markOrderPaid(tx: Transaction, orderId: number): Promise<void> {
  await tx.update(orders).set({ status: 'paid' }).where(eq(orders.id, orderId))
}
