// Database, multi-table transaction: an order is written to orders, order_items, payments and inventory, or to none.
import { expect, test, vi } from 'vitest'
import { given } from './support/factories.ts'
import { provider } from './support/payment-provider.ts'
import { openTestShop } from './support/test-shop.ts'

const { shop } = openTestShop()

test('an order that is paid is the user’s, has a payment, and takes its items from stock', async () => {
  // Given a user with a card, and a product with 10 in stock
  const user = await given.insert('user', 'withCard')
  const teapot = await given.insert('product', { priceCents: 5000, stock: 10 })

  // When an order for 2 is processed
  const result = await shop.orders.processOrder({
    userId: user.id,
    items: [{ productId: teapot.id, quantity: 2 }],
  })

  // Then the order is paid and the user's
  const order = {
    id: expect.any(Number),
    userId: user.id,
    status: 'paid',
    totalCents: 10_000,
    items: [{ productId: teapot.id, quantity: 2, unitPriceCents: 5000 }],
  }
  expect(result).toEqual({ ok: true, order })
  const orders = await shop.orders.ordersOf(user.id)
  expect(orders).toEqual([order])
  // and a payment with status success exists for it
  expect(await shop.payments.listPayments({ orderId: orders[0]!.id })).toEqual([
    { id: expect.any(Number), orderId: orders[0]!.id, amountCents: 10_000, status: 'success', providerId: 'ch_1' },
  ])
  // and stock is 8
  expect(await shop.inventory.stockOf(teapot.id)).toBe(8)
})

test('an order whose card is declined leaves nothing behind', async () => {
  // Given a user whose card will be declined, and a product with 10 in stock
  const user = await given.insert('user', 'withCard')
  const teapot = await given.insert('product', { priceCents: 5000, stock: 10 })
  provider.expect
    .charge({ amountCents: 10_000, cardToken: 'tok_visa', idempotencyKey: expect.any(String) })
    .resolves({ status: 'declined', reason: 'insufficient_funds' })
  // Nothing is charged that would have to be given back
  provider.deny.refund()

  // When an order for 2 is processed
  const result = await shop.orders.processOrder({
    userId: user.id,
    items: [{ productId: teapot.id, quantity: 2 }],
  })

  // Then it is refused
  expect(result).toEqual({ ok: false, error: 'payment_failed' })
  // and there is no order, no payment, and stock is still 10
  expect(await shop.orders.ordersOf(user.id)).toEqual([])
  expect(await shop.payments.listPayments()).toEqual([])
  expect(await shop.inventory.stockOf(teapot.id)).toBe(10)
})

test('an order whose payment provider fails leaves nothing behind, and the failure is thrown on', async () => {
  // Given a gateway that cannot be reached
  const user = await given.insert('user', 'withCard')
  const teapot = await given.insert('product', { priceCents: 5000, stock: 10 })
  provider.expect.charge().rejects(new Error('connect ECONNREFUSED'))

  // When an order is processed
  const processing = shop.orders.processOrder({
    userId: user.id,
    items: [{ productId: teapot.id, quantity: 2 }],
  })

  // Then the caller learns why, and the database holds nothing of it
  await expect(processing).rejects.toThrow('connect ECONNREFUSED')
  expect(await shop.orders.ordersOf(user.id)).toEqual([])
  expect(await shop.inventory.stockOf(teapot.id)).toBe(10)
})

test('a COMMIT that fails after the charge gives the money back, and leaves nothing behind', async () => {
  // Given a provider that takes less than the order's total
  const user = await given.insert('user', 'withCard')
  const teapot = await given.insert('product', { priceCents: 5000, stock: 10 })
  provider.expect.charge().resolves({ status: 'succeeded', providerId: 'ch_1', capturedCents: 4000 })
  // Then the charge is refunded, once
  provider.expect.refund({ providerId: 'ch_1', idempotencyKey: expect.any(String) }).resolves()

  // When an order of 100.00 is processed
  const processing = shop.orders.processOrder({
    userId: user.id,
    items: [{ productId: teapot.id, quantity: 2 }],
  })

  // Then the failure of COMMIT surfaces
  await expect(processing).rejects.toMatchObject({ query: 'commit', cause: { code: '23514' } })
  // and the refund has a key of its own, made of that of the charge
  const [[charge] = []] = vi.mocked(provider.double.charge).mock.calls
  const idempotencyKey = `${charge?.idempotencyKey}:refund`
  expect(provider.double.refund).toHaveBeenCalledWith({ providerId: 'ch_1', idempotencyKey })
  // and there is no order, no payment, and stock is still 10
  expect(await shop.orders.ordersOf(user.id)).toEqual([])
  expect(await shop.payments.listPayments()).toEqual([])
  expect(await shop.inventory.stockOf(teapot.id)).toBe(10)
})
