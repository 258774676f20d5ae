import { afterAll, beforeEach } from 'vitest'
import type { Mailer } from '../../src/mail/mailer.ts'
import { createSmtpMailer } from '../../src/mail/smtp-mailer.ts'
import type { PaymentGateway } from '../../src/payments/payment-gateway.ts'
import type { Report } from '../../src/report.ts'
import { openShop } from '../../src/shop.ts'
import type { Shop } from '../../src/shop.ts'
import { openCache, openPubSub, usualAdapter } from './adapters.ts'
import type { Adapter } from './adapters.ts'
import { provider, takeEveryCard } from './payment-provider.ts'

export interface OpenTestShopOptions {
  /** @default the provider's double, which takes every card */
  readonly payments?: PaymentGateway
  /** @default the real one, by SMTP */
  readonly mailer?: Mailer
  /** Where the cache and the messages are. @default memory, or what `SHOP_ADAPTER` says */
  readonly adapter?: Adapter
  readonly report?: Report
}

/** The shop as the application composes it, on `DATABASE_URL`, `SMTP_URL` and `REDIS_URL`, for all tests of one file. */
export function openTestShop(options: OpenTestShopOptions = {}): { shop: Shop } {
  const { payments = provider.double, adapter = usualAdapter, report } = options
  const smtp = createSmtpMailer({ url: fromEnvironment('SMTP_URL'), from: 'shop@example.com' })
  const cache = openCache(adapter)
  const pubSub = openPubSub(adapter)
  const shop = openShop({
    databaseUrl: fromEnvironment('DATABASE_URL'),
    payments,
    mailer: options.mailer ?? smtp,
    cache,
    pubSub,
    verificationLink: (token) => `https://shop.example.com/verify-email?token=${token}`,
    ...(report && { report }),
  })
  beforeEach(() => {
    takeEveryCard()
  })
  afterAll(async () => {
    smtp.close()
    await Promise.all([shop.close(), cache.close(), pubSub.close()])
  })
  return { shop }
}

/** What Vivarium has written before any test module loads. */
export function fromEnvironment(name: 'DATABASE_URL' | 'SMTP_URL' | 'REDIS_URL'): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: run the tests with the vitest.config.ts of the shop.`)
  return value
}
