// Orders that are paid: what is charged, what is written, what is taken from stock.
import { describe, expect, test, vi } from 'vitest'
import type { User } from '../../src/accounts/accounts.ts'
import type { Product } from '../../src/catalog/catalog.ts'
import type { OrderRequest } from '../../src/orders/process-order.ts'
import { given } from '../support/factories.ts'
import { provider } from '../support/payment-provider.ts'
import { openTestShop } from '../support/test-shop.ts'

const { shop } = openTestShop()

/** The request that a user makes for so many of each product. */
function orderOf(user: User, ...lines: [product: Product, quantity: number][]): OrderRequest {
  return { userId: user.id, items: lines.map(([product, quantity]) => ({ productId: product.id, quantity })) }
}

describe('an order that is paid', () => {
  test('charges the card stored with the user once, for the total, and refunds nothing', async () => {
    // Given a user whose card is a Mastercard
    const user = await given.insert('user', { cardToken: 'tok_mastercard' })
    const teapot = await given.insert('product', { priceCents: 5000 })
    // Then that card is charged, once, and nothing refunded: verified at the end of the test without being asked
    provider.expect.charge({ amountCents: 10_000, cardToken: 'tok_mastercard', idempotencyKey: expect.any(String) })
    provider.deny.refund()

    // When an order is processed
    await shop.orders.processOrder(orderOf(user, [teapot, 2]))
  })

  test('has one item per product when the request names a product twice', async () => {
    // Given two products
    const user = await given.insert('user', 'withCard')
    const teapot = await given.insert('product', { name: 'Teapot', priceCents: 5000, stock: 10 })
    const cup = await given.insert('product', { name: 'Cup', priceCents: 700, stock: 10 })

    // When an order names the first on two lines
    const result = await shop.orders.processOrder(orderOf(user, [teapot, 2], [cup, 4], [teapot, 1]))

    // Then its lines have become one, in the total and in stock too
    expect(result).toMatchObject({
      ok: true,
      order: {
        totalCents: 3 * 5000 + 4 * 700,
        items: [
          { productId: teapot.id, quantity: 3 },
          { productId: cup.id, quantity: 4 },
        ],
      },
    })
    expect(await shop.inventory.stockOf(teapot.id)).toBe(7)
    expect(await shop.inventory.stockOf(cup.id)).toBe(6)
  })

  test('may take the last one in stock', async () => {
    // Given a product with 2 in stock
    const user = await given.insert('user', 'withCard')
    const teapot = await given.insert('product', { stock: 2 })

    // When an order takes both
    const result = await shop.orders.processOrder(orderOf(user, [teapot, 2]))

    // Then it is paid, and none is left
    expect(result.ok).toBe(true)
    expect(await shop.inventory.stockOf(teapot.id)).toBe(0)
  })

  test('keeps money in whole cents, where a sum of decimal prices would not', async () => {
    // Given a price that binary fractions cannot hold: 0.1 * 3 is 0.30000000000000004
    const user = await given.insert('user', 'withCard')
    const sticker = await given.insert('product', { name: 'Sticker', priceCents: 10 })
    provider.expect.charge({ amountCents: 30, cardToken: 'tok_visa', idempotencyKey: expect.any(String) })

    // When three are ordered
    const result = await shop.orders.processOrder(orderOf(user, [sticker, 3]))

    // Then order, charge and payment say 30, the number
    expect(result).toMatchObject({ ok: true, order: { totalCents: 30 } })
    const [order] = await shop.orders.ordersOf(user.id)
    expect((await shop.payments.listPayments({ orderId: order!.id }))[0]?.amountCents).toBe(30)
    // and a price with a fraction of a cent is no price
    await expect(shop.catalog.addProduct({ name: 'Gum', priceCents: 0.5 })).rejects.toThrow('priceCents')
  })
})

test('two orders one after the other are two charges and take from stock twice', async () => {
  // Given a user and a product with 10 in stock
  const user = await given.insert('user', 'withCard')
  const teapot = await given.insert('product', { stock: 10 })

  // When an order for 2 and then one for 3 are processed
  await shop.orders.processOrder(orderOf(user, [teapot, 2]))
  await shop.orders.processOrder(orderOf(user, [teapot, 3]))

  // Then both stand, each with its payment
  const [first, second, ...more] = await shop.orders.ordersOf(user.id)
  expect([first?.status, second?.status, more]).toEqual(['paid', 'paid', []])
  expect(await shop.payments.listPayments()).toMatchObject([
    { orderId: first!.id, providerId: 'ch_1' },
    { orderId: second!.id, providerId: 'ch_2' },
  ])
  // and each was a charge with a key of its own
  const charges = vi.mocked(provider.double.charge).mock.calls.map(([request]) => request)
  expect(new Set(charges.map((charge) => charge.idempotencyKey)).size).toBe(2)
  expect(await shop.inventory.stockOf(teapot.id)).toBe(5)
})
