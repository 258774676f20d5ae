// Database, multi-table transaction: an order is written to orders, order_items, payments and inventory, or to none.
import { describe, expect, test, vi } from 'vitest'
import { currentSandbox } from 'vivarium'
import type { User } from '../src/accounts/accounts.ts'
import type { Product } from '../src/catalog/catalog.ts'
import type { OrderRequest } from '../src/orders/process-order.ts'
import type { ChargeResult } from '../src/payments/payment-gateway.ts'
import { provider } from './support/payment-provider.ts'
import { openTestShop } from './support/test-shop.ts'

const { shop } = openTestShop()

async function givenUser(cardToken: string | null = 'tok_visa'): Promise<User> {
  return await shop.accounts.createUser({ email: 'ada@example.com', cardToken })
}

async function givenProduct({ name = 'Teapot', priceCents = 5000, stock = 10 } = {}): Promise<Product> {
  const product = await shop.catalog.addProduct({ name, priceCents })
  await shop.inventory.setStock(product.id, stock)
  return product
}

/** The request that a user makes for so many of each product. */
function orderOf(user: User, ...lines: [product: Product, quantity: number][]): OrderRequest {
  return { userId: user.id, items: lines.map(([product, quantity]) => ({ productId: product.id, quantity })) }
}

describe('an order that is paid', () => {
  test('is the user’s, has a payment, and takes its items from stock', async () => {
    // Given a user with a card, and a product with 10 in stock
    const user = await givenUser()
    const teapot = await givenProduct({ priceCents: 5000, stock: 10 })

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

  test('charges the card stored with the user once, for the total, and refunds nothing', async () => {
    // Given a user whose card is a Mastercard
    const user = await givenUser('tok_mastercard')
    const teapot = await givenProduct({ priceCents: 5000 })
    // Then that card is charged, once, and nothing refunded: verified at the end of the test without being asked
    provider.expect.charge({ amountCents: 10_000, cardToken: 'tok_mastercard', idempotencyKey: expect.any(String) })
    provider.deny.refund()

    // When an order is processed
    await shop.orders.processOrder(orderOf(user, [teapot, 2]))
  })

  test('has one item per product when the request names a product twice', async () => {
    // Given two products
    const user = await givenUser()
    const teapot = await givenProduct({ name: 'Teapot', priceCents: 5000, stock: 10 })
    const cup = await givenProduct({ name: 'Cup', priceCents: 700, stock: 10 })

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
    const user = await givenUser()
    const teapot = await givenProduct({ stock: 2 })

    // When an order takes both
    const result = await shop.orders.processOrder(orderOf(user, [teapot, 2]))

    // Then it is paid, and none is left
    expect(result.ok).toBe(true)
    expect(await shop.inventory.stockOf(teapot.id)).toBe(0)
  })

  test('keeps money in whole cents, where a sum of decimal prices would not', async () => {
    // Given a price that binary fractions cannot hold: 0.1 * 3 is 0.30000000000000004
    const user = await givenUser()
    const sticker = await givenProduct({ name: 'Sticker', priceCents: 10 })
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
  const user = await givenUser()
  const teapot = await givenProduct({ stock: 10 })

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

describe('an order that cannot be paid leaves nothing behind', () => {
  test('when the payment gateway declines the card', async () => {
    // Given a user whose card will be declined, and a product with 10 in stock
    const user = await givenUser()
    const teapot = await givenProduct({ priceCents: 5000, stock: 10 })
    provider.expect
      .charge({ amountCents: 10_000, cardToken: 'tok_visa', idempotencyKey: expect.any(String) })
      .resolves({ status: 'declined', reason: 'insufficient_funds' })
    // Nothing is charged that would have to be given back
    provider.deny.refund()

    // When an order for 2 is processed
    const result = await shop.orders.processOrder(orderOf(user, [teapot, 2]))

    // Then it is refused
    expect(result).toEqual({ ok: false, error: 'payment_failed' })
    // and there is no order, no payment, and stock is still 10
    expect(await shop.orders.ordersOf(user.id)).toEqual([])
    expect(await shop.payments.listPayments()).toEqual([])
    expect(await shop.inventory.stockOf(teapot.id)).toBe(10)
  })

  test('when the user has stored no card', async () => {
    // Given a user without a card
    const user = await givenUser(null)
    const teapot = await givenProduct({ stock: 10 })
    provider.deny.charge()

    // When an order is processed
    const result = await shop.orders.processOrder(orderOf(user, [teapot, 2]))

    // Then it is refused, and the gateway is not bothered
    expect(result).toEqual({ ok: false, error: 'payment_failed' })
    expect(await shop.orders.ordersOf(user.id)).toEqual([])
    expect(await shop.inventory.stockOf(teapot.id)).toBe(10)
  })

  test('when the payment gateway itself fails, and then the failure is thrown on', async () => {
    // Given a gateway that cannot be reached
    const user = await givenUser()
    const teapot = await givenProduct({ stock: 10 })
    provider.expect.charge().rejects(new Error('connect ECONNREFUSED'))

    // When an order is processed
    const processing = shop.orders.processOrder(orderOf(user, [teapot, 2]))

    // Then the caller learns why, and the database holds nothing of it
    await expect(processing).rejects.toThrow('connect ECONNREFUSED')
    expect(await shop.orders.ordersOf(user.id)).toEqual([])
    expect(await shop.inventory.stockOf(teapot.id)).toBe(10)
  })
})

describe('an order that is refused', () => {
  test('out_of_stock: more than there is', async () => {
    // Given a product with 1 in stock
    const user = await givenUser()
    const teapot = await givenProduct({ stock: 1 })
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
    const user = await givenUser()
    const teapot = await givenProduct({ name: 'Teapot', stock: 10 })
    const cup = await givenProduct({ name: 'Cup', stock: 1 })

    // When an order for 2 of each is processed
    const result = await shop.orders.processOrder(orderOf(user, [teapot, 2], [cup, 2]))

    // Then it is refused, and both are still there
    expect(result).toEqual({ ok: false, error: 'out_of_stock' })
    expect(await shop.inventory.stockOf(teapot.id)).toBe(10)
    expect(await shop.inventory.stockOf(cup.id)).toBe(1)
  })

  test('out_of_stock: two lines of one product are within stock each, and not together', async () => {
    // Given a product with 3 in stock
    const user = await givenUser()
    const teapot = await givenProduct({ stock: 3 })

    // When an order names it twice, with 2 each
    const result = await shop.orders.processOrder(orderOf(user, [teapot, 2], [teapot, 2]))

    // Then it is refused
    expect(result).toEqual({ ok: false, error: 'out_of_stock' })
    expect(await shop.inventory.stockOf(teapot.id)).toBe(3)
  })

  test('out_of_stock: a product that was never stocked', async () => {
    // Given a product in the catalog only
    const user = await givenUser()
    const teapot = await shop.catalog.addProduct({ name: 'Teapot', priceCents: 5000 })

    // When it is ordered
    const result = await shop.orders.processOrder(orderOf(user, [teapot, 1]))

    // Then it is refused
    expect(result).toEqual({ ok: false, error: 'out_of_stock' })
  })

  test('unknown_product: nothing of the order is kept, the known products’ stock included', async () => {
    // Given one product
    const user = await givenUser()
    const teapot = await givenProduct({ stock: 10 })

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
    const user = await givenUser()

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
    const teapot = await givenProduct({ stock: 10 })
    provider.deny.charge()

    // When somebody orders it
    const result = await shop.orders.processOrder({ userId: 1, items: [{ productId: teapot.id, quantity: 2 }] })

    // Then it is refused
    expect(result).toEqual({ ok: false, error: 'unknown_user' })
    expect(await shop.inventory.stockOf(teapot.id)).toBe(10)
  })

  test.each([0, -1, 1.5])('a quantity of %d is no order: it throws', async (quantity) => {
    // Given a user and a product
    const user = await givenUser()
    const teapot = await givenProduct({ stock: 10 })

    // When an order asks for it
    const processing = shop.orders.processOrder(orderOf(user, [teapot, quantity]))

    // Then it is not taken for a request at all
    await expect(processing).rejects.toThrow('quantity')
    expect(await shop.inventory.stockOf(teapot.id)).toBe(10)
  })
})

describe('a COMMIT that fails after a successful charge', () => {
  // The database checks at COMMIT that a paid order is paid in full (migrations/0004_orders_add_up.sql).
  const takenOnly = (capturedCents: number): ChargeResult => ({
    status: 'succeeded',
    providerId: 'ch_1',
    capturedCents,
  })
  const refusedAtCommit = { query: 'commit', cause: { code: '23514', constraint: 'orders_paid_is_paid_in_full' } }

  test('gives the money back, leaves nothing behind, and is thrown on', async () => {
    // Given a provider that takes less than the order's total
    const user = await givenUser()
    const teapot = await givenProduct({ priceCents: 5000, stock: 10 })
    provider.expect.charge().resolves(takenOnly(4000))
    // Then the charge is refunded, once
    provider.expect.refund({ providerId: 'ch_1', idempotencyKey: expect.any(String) }).resolves()

    // When an order of 100.00 is processed
    const processing = shop.orders.processOrder(orderOf(user, [teapot, 2]))

    // Then the failure of COMMIT surfaces
    await expect(processing).rejects.toMatchObject(refusedAtCommit)
    // and the refund has a key of its own, made of that of the charge
    const [[charge] = []] = vi.mocked(provider.double.charge).mock.calls
    const idempotencyKey = `${charge?.idempotencyKey}:refund`
    expect(provider.double.refund).toHaveBeenCalledWith({ providerId: 'ch_1', idempotencyKey })
    // and there is no order, no payment, and stock is still 10
    expect(await shop.orders.ordersOf(user.id)).toEqual([])
    expect(await shop.payments.listPayments()).toEqual([])
    expect(await shop.inventory.stockOf(teapot.id)).toBe(10)
  })

  test('names the charge when the refund fails too, and gives it back later', async () => {
    // Given a provider that takes less than the order's total and then goes away for a while
    const user = await givenUser()
    const teapot = await givenProduct({ priceCents: 5000, stock: 10 })
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
    const user = await givenUser()
    const teapot = await givenProduct({ priceCents: 5000, stock: 10 })
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
    const user = await givenUser()
    const teapot = await givenProduct()
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
