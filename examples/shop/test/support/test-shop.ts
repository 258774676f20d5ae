import { afterAll, beforeEach } from 'vitest'
import { createSmtpMailer } from '../../src/mail/smtp-mailer.ts'
import type { PaymentGateway } from '../../src/payments/payment-gateway.ts'
import { openShop } from '../../src/shop.ts'
import type { Shop } from '../../src/shop.ts'
import { provider, takeEveryCard } from './payment-provider.ts'

export interface OpenTestShopOptions {
  /** @default the provider's double, which takes every card */
  readonly payments?: PaymentGateway
}

/** The shop as the application composes it, on `DATABASE_URL` and `SMTP_URL`, for all tests of one file. */
export function openTestShop({ payments = provider.double }: OpenTestShopOptions = {}): { shop: Shop } {
  const mailer = createSmtpMailer({ url: fromEnvironment('SMTP_URL'), from: 'shop@example.com' })
  const shop = openShop({ databaseUrl: fromEnvironment('DATABASE_URL'), payments, mailer })
  beforeEach(takeEveryCard)
  afterAll(async () => {
    mailer.close()
    await shop.close()
  })
  return { shop }
}

/** What Vivarium has written before any test module loads. */
export function fromEnvironment(name: 'DATABASE_URL' | 'SMTP_URL' | 'REDIS_URL'): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: run the tests with the vitest.config.ts of the shop.`)
  return value
}
