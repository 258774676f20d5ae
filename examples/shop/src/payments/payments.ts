import { asc, eq } from 'drizzle-orm'
import type { Database } from '../database.ts'
import type { Report } from '../report.ts'
import type { PaymentGateway } from './payment-gateway.ts'
import { settleAttempts } from './settle-attempts.ts'
import type { SettledAttempts } from './settle-attempts.ts'
import { payments } from './tables.ts'
import { withPayment } from './with-payment.ts'
import type { Payment, PaymentResult } from './with-payment.ts'

export interface Payments {
  /** Charges an order's total to a card, and marks the order paid. */
  processPayment(orderId: number, cardToken: string): Promise<PaymentResult>
  /**
   * Finishes what a failure has left of earlier payments: what was charged and no order stands for is given back. To be called from time
   * to time.
   */
  settleAttempts(options?: SettleAttemptsOptions): Promise<SettledAttempts>
  /** The payments of one order or of all, oldest first. */
  listPayments(filter?: { orderId?: number }): Promise<Payment[]>
}

export interface SettleAttemptsOptions {
  /**
   * In milliseconds. By then the provider must have done what it was asked for, and transactions must have ended: those that have not
   * will fail. @default 10 minutes
   */
  readonly olderThanMs?: number
}

export interface PaymentsOptions {
  readonly database: Database
  readonly gateway: PaymentGateway
  readonly report: Report
}

export function createPayments({ database, gateway, report }: PaymentsOptions): Payments {
  return {
    processPayment: (orderId, cardToken) => withPayment({ database, gateway }, (_tx, pay) => pay(orderId, cardToken)),

    settleAttempts: ({ olderThanMs = 600_000 } = {}) =>
      settleAttempts({ database, gateway, report }, new Date(Date.now() - olderThanMs)),

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
