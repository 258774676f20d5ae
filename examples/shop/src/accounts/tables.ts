import { integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core'

export const users = pgTable('users', {
  id: integer('id').primaryKey().generatedAlwaysAsIdentity(),
  email: text('email').notNull(),
  passwordHash: text('password_hash'),
  cardToken: text('card_token'),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
})
