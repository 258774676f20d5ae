// Orders that are refused: by name, and with nothing kept of them.
import { describe, expect, test } from 'vitest'
import { currentSandbox } from 'vivarium'
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

describe('an order that is refused', () => {
  test('payment_failed: the user has stored no card', async () => {
    // Given a user without a card
    const user = await given.insert('user')
    const teapot = await given.insert('product', { stock: 10 })
    provider.deny.charge()

    // When an order is processed
    const result = await shop.orders.processOrder(orderOf(user, [teapot, 2]))

    // Then it is refused, and the gateway is not bothered
    expect(result).toEqual({ ok: false, error: 'payment_failed' })
    expect(await shop.orders.ordersOf(user.id)).toEqual([])
    expect(await shop.inventory.stockOf(teapot.id)).toBe(10)
  })

  test('out_of_stock: more than there is', async () => {
    // Given a product with 1 in stock
    const user = await given.insert('user', 'withCard')
    const teapot = await given.insert('product', { stock: 1 })
    provider.deny.charge()

    // When an order for 2 is processed
    const result = await shop.orders.processOrder(orderOf(user, [teapot, 2]))

    // Then it is refused before any card is charged, and the one is still there
    expect(result).toEqual({ ok: false, error: 'out_of_stock' })
    expect(await shop.orders.ordersOf(user.id)).toEqual([])
    expect(await shop.inventory.stockOf(teapot.id)).toBe(1)
  })

  test('out_of_stock: the second of two products is missing, and the reservation of the first is undone', async () => {
    // Given 10 of one product and 1 of another
    const user = await given.insert('user', 'withCard')
    const teapot = await given.insert('product', { name: 'Teapot', stock: 10 })
    const cup = await given.insert('product', { name: 'Cup', stock: 1 })

    // When an order for 2 of each is processed
    const result = await shop.orders.processOrder(orderOf(user, [teapot, 2], [cup, 2]))

    // Then it is refused, and both are still there
    expect(result).toEqual({ ok: false, error: 'out_of_stock' })
    expect(await shop.inventory.stockOf(teapot.id)).toBe(10)
    expect(await shop.inventory.stockOf(cup.id)).toBe(1)
  })

  test('out_of_stock: two lines of one product are within stock each, and not together', async () => {
    // Given a product with 3 in stock
    const user = await given.insert('user', 'withCard')
    const teapot = await given.insert('product', { stock: 3 })

    // When an order names it twice, with 2 each
    const result = await shop.orders.processOrder(orderOf(user, [teapot, 2], [teapot, 2]))

    // Then it is refused
    expect(result).toEqual({ ok: false, error: 'out_of_stock' })
    expect(await shop.inventory.stockOf(teapot.id)).toBe(3)
  })

  test('out_of_stock: a product that was never stocked', async () => {
    // Given a product in the catalog only
    const user = await given.insert('user', 'withCard')
    const teapot = await given.insert('products', { priceCents: 5000 })

    // When it is ordered
    const result = await shop.orders.processOrder(orderOf(user, [teapot, 1]))

    // Then it is refused
    expect(result).toEqual({ ok: false, error: 'out_of_stock' })
  })

  test('unknown_product: nothing of the order is kept, the known products’ stock included', async () => {
    // Given one product
    const user = await given.insert('user', 'withCard')
    const teapot = await given.insert('product', { stock: 10 })

    // When an order names it and one that does not exist
    const result = await shop.orders.processOrder({
      userId: user.id,
      items: [
        { productId: teapot.id, quantity: 2 },
        { productId: teapot.id + 1, quantity: 1 },
      ],
    })

    // Then it is refused
    expect(result).toEqual({ ok: false, error: 'unknown_product' })
    expect(await shop.orders.ordersOf(user.id)).toEqual([])
    expect(await shop.inventory.stockOf(teapot.id)).toBe(10)
  })

  test('empty_order: no items, and no query', async () => {
    // Given a user
    const user = await given.insert('user', 'withCard')

    // When an order without items is processed
    const { result, queries } = await currentSandbox().observe(() =>
      shop.orders.processOrder({ userId: user.id, items: [] }),
    )

    // Then it is refused without asking the database
    expect(result).toEqual({ ok: false, error: 'empty_order' })
    expect(queries).toEqual([])
  })

  test('unknown_user: nobody to charge', async () => {
    // Given a product, and no user
    const teapot = await given.insert('product', { stock: 10 })
    provider.deny.charge()

    // When somebody orders it
    const result = await shop.orders.processOrder({ userId: 1, items: [{ productId: teapot.id, quantity: 2 }] })

    // Then it is refused
    expect(result).toEqual({ ok: false, error: 'unknown_user' })
    expect(await shop.inventory.stockOf(teapot.id)).toBe(10)
  })

  test.each([0, -1, 1.5])('a quantity of %d is no order: it throws', async (quantity) => {
    // Given a user and a product
    const user = await given.insert('user', 'withCard')
    const teapot = await given.insert('product', { stock: 10 })

    // When an order asks for it
    const processing = shop.orders.processOrder(orderOf(user, [teapot, quantity]))

    // Then it is not taken for a request at all
    await expect(processing).rejects.toThrow('quantity')
    expect(await shop.inventory.stockOf(teapot.id)).toBe(10)
  })
})
