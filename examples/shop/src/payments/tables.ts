import { integer, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { orders } from '../orders/tables.ts'

export const paymentAttempts = pgTable('payment_attempts', {
  idempotencyKey: uuid('idempotency_key').primaryKey(),
  status: text('status', { enum: ['open', 'settled', 'abandoned', 'void', 'refunded'] }).notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
})

export const payments = pgTable('payments', {
  id: integer('id').primaryKey().generatedAlwaysAsIdentity(),
  orderId: integer('order_id')
    .notNull()
    .references(() => orders.id),
  amountCents: integer('amount_cents').notNull(),
  status: text('status', { enum: ['success'] }).notNull(),
  providerId: text('provider_id').notNull().unique(),
  idempotencyKey: uuid('idempotency_key')
    .notNull()
    .unique()
    .references(() => paymentAttempts.idempotencyKey),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
})
