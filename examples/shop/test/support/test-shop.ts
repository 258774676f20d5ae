import { afterAll, beforeEach } from 'vitest'
import { openShop } from '../../src/shop.ts'
import type { Shop } from '../../src/shop.ts'
import { PaymentProvider } from './payment-provider.ts'

/** The shop as the application composes it, on `DATABASE_URL`, for all tests of one file. */
export function openTestShop(): { shop: Shop; provider: PaymentProvider } {
  const databaseUrl = process.env['DATABASE_URL']
  if (!databaseUrl) throw new Error('DATABASE_URL is not set: run the tests with the vitest.config.ts of the shop.')

  const provider = new PaymentProvider()
  const shop = openShop({ databaseUrl, payments: provider })
  beforeEach(() => provider.reset())
  afterAll(() => shop.close())
  return { shop, provider }
}
