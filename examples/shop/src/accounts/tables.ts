import { integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import type { OnboardingState } from '../onboarding/states.ts'

export const users = pgTable('users', {
  id: integer('id').primaryKey().generatedAlwaysAsIdentity(),
  email: text('email').notNull(),
  passwordHash: text('password_hash'),
  cardToken: text('card_token'),
  onboardingState: text('onboarding_state').$type<OnboardingState>().notNull().default('registered'),
  verificationHash: text('verification_hash').unique(),
  verificationExpiresAt: timestamp('verification_expires_at', { withTimezone: true }),
  verificationUsedAt: timestamp('verification_used_at', { withTimezone: true }),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
})
