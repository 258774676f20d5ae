// Ordering over HTTP, through the application's own fetch: nobody needs a port for it.
import { describe, expect, test } from 'vitest'
import { currentSandbox } from 'vivarium'
import { given } from '../support/factories.ts'
import { provider } from '../support/payment-provider.ts'
import { openTestApp, signedIn } from '../support/test-app.ts'

const { shop, ask } = openTestApp()

async function givenTeapots(stock: number): Promise<number> {
  return (await given.insert('product', { priceCents: 5000, stock })).id
}

test('an order is placed, paid with the card that is stored, and can be read again', async () => {
  // Given a user with a card, 10 teapots, and a provider that will be asked once
  const { token } = await signedIn(shop)
  const productId = await givenTeapots(10)
  provider.expect.charge({ amountCents: 10_000, cardToken: 'tok_visa', idempotencyKey: expect.any(String) })

  // When they order two
  const placed = await ask('POST /api/orders', { token, json: { items: [{ productId, quantity: 2 }] } })

  // Then the order is paid
  const items = [{ productId, quantity: 2, unitPriceCents: 5000 }]
  const order = { id: 1, status: 'paid', totalCents: 10_000, items }
  expect(placed).toMatchObject({ status: 201, body: { order } })
  // and is theirs, in the list and by its number
  expect((await ask('GET /api/orders', { token })).body).toEqual({ orders: [order] })
  expect((await ask('GET /api/orders/1', { token })).body).toEqual({ order })
  expect(await shop.inventory.stockOf(productId)).toBe(8)
})

test('payment_failed: a card that is declined is 422, and nothing of the order is kept', async () => {
  // Given a card that the provider declines
  const { user, token } = await signedIn(shop)
  const productId = await givenTeapots(10)
  provider.expect.charge().resolves({ status: 'declined', reason: 'insufficient_funds' })

  // When they order
  const answer = await ask('POST /api/orders', { token, json: { items: [{ productId, quantity: 2 }] } })

  // Then it is refused by name
  expect(answer).toMatchObject({ status: 422, body: { error: 'payment_failed' } })
  expect(await shop.orders.ordersOf(user.id)).toEqual([])
  expect(await shop.inventory.stockOf(productId)).toBe(10)
})

test('order_too_large: what no order can hold is 422, and not a failure of ours', async () => {
  // Given something for half of the largest total, and three of it in stock
  const { token } = await signedIn(shop)
  const { id: productId } = await given.insert('product', { name: 'Palace', priceCents: 1_073_741_824, stock: 3 })
  provider.deny.charge()

  // When two are ordered
  const answer = await ask('POST /api/orders', { token, json: { items: [{ productId, quantity: 2 }] } })

  // Then it is refused by name, and they are still there
  expect(answer).toMatchObject({ status: 422, body: { error: 'order_too_large' } })
  expect(await shop.inventory.stockOf(productId)).toBe(3)
})

describe('another user’s order', () => {
  test('cannot be read: it is as if it were not there', async () => {
    // Given Ada with an order, and Grace
    const ada = await signedIn(shop)
    const grace = await signedIn(shop, 'grace@example.com')
    const productId = await givenTeapots(10)
    await ask('POST /api/orders', { token: ada.token, json: { items: [{ productId, quantity: 1 }] } })

    // When Grace asks for it, and for one that nobody has
    const others = await ask('GET /api/orders/1', { token: grace.token })
    const nobodys = await ask('GET /api/orders/2', { token: grace.token })

    // Then the answers do not differ, and her own list is empty
    const refused = { error: 'unknown_order', message: 'You have no such order.', requestId: expect.any(String) }
    expect([others.status, others.body]).toEqual([404, refused])
    expect([nobodys.status, nobodys.body]).toEqual([404, refused])
    expect((await ask('GET /api/orders', { token: grace.token })).body).toEqual({ orders: [] })
  })
})

test('the products are for everybody, and take one query', async () => {
  // Given two products
  await given.insert('product', { name: 'Teapot', priceCents: 5000 })
  await given.insert('product', { name: 'Cup', priceCents: 700 })

  // When anybody asks for them
  const seen = await currentSandbox().observe(() => ask('GET /api/products'))

  // Then they are all there
  expect(seen.result.body).toEqual({
    products: [
      { id: 1, name: 'Teapot', priceCents: 5000 },
      { id: 2, name: 'Cup', priceCents: 700 },
    ],
  })
  expect(seen.queries).toHaveLength(1)
})
