import { asc, eq } from 'drizzle-orm'
import type { Database } from '../database.ts'
import type { PaymentGateway } from './payment-gateway.ts'
import { payments } from './tables.ts'
import { withPayments } from './with-payments.ts'
import type { Payment, PaymentResult } from './with-payments.ts'

export interface Payments {
  /** Charges an order's total to a card, and marks the order paid. */
  processPayment(orderId: number, cardToken: string): Promise<PaymentResult>
  /** The payments of one order or of all, oldest first. */
  listPayments(filter?: { orderId?: number }): Promise<Payment[]>
}

export function createPayments(database: Database, gateway: PaymentGateway): Payments {
  return {
    processPayment: (orderId, cardToken) => withPayments({ database, gateway }, (_tx, pay) => pay(orderId, cardToken)),

    listPayments: async ({ orderId } = {}) =>
      await database
        .select({
          id: payments.id,
          orderId: payments.orderId,
          amountCents: payments.amountCents,
          status: payments.status,
          providerId: payments.providerId,
        })
        .from(payments)
        .where(orderId === undefined ? undefined : eq(payments.orderId, orderId))
        .orderBy(asc(payments.id)),
  }
}
