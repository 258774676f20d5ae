// What a charge comes to when the transaction that it was made in cannot be committed; and payments of orders that are there.
import { describe, expect, test } from 'vitest'
import type { User } from '../../src/accounts/accounts.ts'
import type { Product } from '../../src/catalog/catalog.ts'
import type { OrderRequest } from '../../src/orders/process-order.ts'
import type { ChargeResult } from '../../src/payments/payment-gateway.ts'
import { given } from '../support/factories.ts'
import { provider } from '../support/payment-provider.ts'
import { openTestShop } from '../support/test-shop.ts'

const { shop } = openTestShop()

/** The request that a user makes for so many of each product. */
function orderOf(user: User, ...lines: [product: Product, quantity: number][]): OrderRequest {
  return { userId: user.id, items: lines.map(([product, quantity]) => ({ productId: product.id, quantity })) }
}

describe('a COMMIT that fails after a successful charge', () => {
  // The database checks at COMMIT that a paid order is paid in full (migrations/0004_orders_add_up.sql).
  const takenOnly = (capturedCents: number): ChargeResult => ({
    status: 'succeeded',
    providerId: 'ch_1',
    capturedCents,
  })
  const refusedAtCommit = { query: 'commit', cause: { code: '23514', constraint: 'orders_paid_is_paid_in_full' } }

  test('names the charge when the refund fails too, and gives it back later', async () => {
    // Given a provider that takes less than the order's total and then goes away for a while
    const user = await given.insert('user', 'withCard')
    const teapot = await given.insert('product', { priceCents: 5000, stock: 10 })
    provider.expect.charge().resolves(takenOnly(4000))
    provider.expect.refund().rejects(new Error('connect ECONNREFUSED'))

    // When an order of 100.00 is processed
    const processing = shop.orders.processOrder(orderOf(user, [teapot, 2]))

    // Then both failures and the charge are named
    await expect(processing).rejects.toMatchObject({
      message: expect.stringContaining('Charge ch_1 could not be given back yet'),
      errors: [refusedAtCommit, { message: 'connect ECONNREFUSED' }],
    })
    // and when the provider is back the charge is refunded, once
    provider.expect.findCharge().resolves({ providerId: 'ch_1' })
    provider.expect.refund({ providerId: 'ch_1', idempotencyKey: expect.stringMatching(/:refund$/) }).resolves()
    expect(await shop.payments.settleAttempts({ olderThanMs: 0 })).toEqual({ refunded: 1, void: 0, failed: 0 })
    expect(await shop.payments.settleAttempts({ olderThanMs: 0 })).toEqual({ refunded: 0, void: 0, failed: 0 })
  })

  test('lets the next order succeed', async () => {
    // Given an order that failed at COMMIT
    const user = await given.insert('user', 'withCard')
    const teapot = await given.insert('product', { priceCents: 5000, stock: 10 })
    const request = orderOf(user, [teapot, 2])
    provider.stub.charge(async () => takenOnly(4000))
    await expect(shop.orders.processOrder(request)).rejects.toMatchObject(refusedAtCommit)

    // When it is processed again, and the provider takes the whole sum
    provider.stub.charge(async () => takenOnly(10_000))
    const result = await shop.orders.processOrder(request)

    // Then it is paid
    expect(result).toMatchObject({ ok: true, order: { status: 'paid', totalCents: 10_000 } })
    expect(await shop.inventory.stockOf(teapot.id)).toBe(8)
  })
})

describe('a payment on its own', () => {
  test('is refused for an order that is paid already, and for one that does not exist', async () => {
    // Given a paid order, which charges its card once
    const user = await given.insert('user', 'withCard')
    const teapot = await given.insert('product')
    provider.expect.charge()
    await shop.orders.processOrder(orderOf(user, [teapot, 1]))
    const [order] = await shop.orders.ordersOf(user.id)

    // When it is paid again, and when the next one is paid
    const again = await shop.payments.processPayment(order!.id, 'tok_visa')
    const next = await shop.payments.processPayment(order!.id + 1, 'tok_visa')

    // Then both are refused, and no card is charged but for the order
    expect(again).toEqual({ ok: false, error: 'already_paid' })
    expect(next).toEqual({ ok: false, error: 'unknown_order' })
  })
})
