import { afterAll, beforeEach } from 'vitest'
import type { PaymentGateway } from '../../src/payments/payment-gateway.ts'
import { openShop } from '../../src/shop.ts'
import type { Shop } from '../../src/shop.ts'
import { provider, takeEveryCard } from './payment-provider.ts'

export interface OpenTestShopOptions {
  /** @default the provider's double, which takes every card */
  readonly payments?: PaymentGateway
}

/** The shop as the application composes it, on `DATABASE_URL`, for all tests of one file. */
export function openTestShop({ payments = provider.double }: OpenTestShopOptions = {}): { shop: Shop } {
  const databaseUrl = process.env['DATABASE_URL']
  if (!databaseUrl) throw new Error('DATABASE_URL is not set: run the tests with the vitest.config.ts of the shop.')

  const shop = openShop({ databaseUrl, payments })
  beforeEach(takeEveryCard)
  afterAll(() => shop.close())
  return { shop }
}
