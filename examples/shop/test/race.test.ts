// Race: what happens at the same moment, on several connections with real commits.
// @module-tag isolation/database
import { expect, test } from 'vitest'
import { currentSandbox } from 'vivarium'
import type { OrderRequest } from '../src/orders/process-order.ts'
import { given } from './support/factories.ts'
import { provider } from './support/payment-provider.ts'
import { openTestShop } from './support/test-shop.ts'

const { shop } = openTestShop()

/** A user with a card, who wants to order a teapot. */
async function givenOrder(): Promise<OrderRequest> {
  const user = await given.insert('user', 'withCard')
  const teapot = await given.insert('product', { priceCents: 5000, stock: 10 })
  return { userId: user.id, items: [{ productId: teapot.id, quantity: 1 }] }
}

/** The same thing, so many times at once. */
async function atOnce<T>(times: number, work: (index: number) => Promise<T>): Promise<T[]> {
  return await Promise.all(Array.from({ length: times }, (_, index) => work(index)))
}

test('ten registrations with one email: one succeeds and is welcomed, nine are refused by name', async () => {
  // When ten people register with one email
  const ada = { email: 'ada@example.com', password: 'correct horse battery' }
  const results = await atOnce(10, () => shop.accounts.registerUser(ada))

  // Then the first of them is registered
  expect(results.filter(({ ok }) => ok)).toHaveLength(1)
  expect(results.filter((result) => !result.ok && result.error === 'email_taken')).toHaveLength(9)
  expect(currentSandbox()).toHaveSentMail({ to: ada.email }, { times: 1 })
})

test('two buyers, one item in stock: one order, one charge, and the other is out of stock', async () => {
  // Given two users, and the last teapot
  const buyers = await given.insertPair('user', 'withCard')
  const teapot = await given.insert('product', { stock: 1 })

  // When both order it
  const results = await atOnce(2, (index) =>
    shop.orders.processOrder({ userId: buyers[index]!.id, items: [{ productId: teapot.id, quantity: 1 }] }),
  )

  // Then one of them has it, and the other's card is not charged
  expect(results.filter(({ ok }) => ok)).toHaveLength(1)
  expect(results).toContainEqual({ ok: false, error: 'out_of_stock' })
  expect(provider.double.charge).toHaveBeenCalledTimes(1)
  expect(await shop.payments.listPayments()).toHaveLength(1)
  expect(await shop.inventory.stockOf(teapot.id)).toBe(0)
})

test('two orders for the same two products, named in opposite order, both succeed', async () => {
  // Given a user, and two products
  const user = await given.insert('user', 'withCard')
  const [teapot, cup] = await given.insertPair('product', { stock: 10 })
  const items = [teapot, cup].map(({ id }) => ({ productId: id, quantity: 1 }))

  // When five orders name one first, and five the other
  const results = await atOnce(10, (index) =>
    shop.orders.processOrder({ userId: user.id, items: index % 2 === 0 ? items : items.toReversed() }),
  )

  // Then none has waited for another in vain
  expect(results.filter(({ ok }) => ok)).toHaveLength(10)
  expect(await shop.inventory.stockOf(teapot.id)).toBe(0)
})

test('an order whose charge took so long that it was given up is not taken, and its charge is given back', async () => {
  // Given an order that waits for the provider
  const request = await givenOrder()
  let answer = (): void => {}
  const charge = provider.expect.charge().answers(async ({ amountCents }) => {
    await new Promise<void>((resolve) => (answer = resolve))
    return { status: 'succeeded', providerId: 'ch_late', capturedCents: amountCents }
  })
  const processing = shop.orders.processOrder(request)
  await charge.called({ within: 5000 })

  // When its attempt is looked at meanwhile, of which the provider knows no charge, and then the charge is made
  expect(await shop.payments.settleAttempts({ olderThanMs: 0 })).toEqual({ refunded: 0, void: 1, failed: 0 })
  provider.expect.refund({ providerId: 'ch_late', idempotencyKey: expect.any(String) }).resolves()
  answer()

  // Then the order fails, and nothing of it is kept
  await expect(processing).rejects.toThrow('took so long that it was given up')
  expect(await shop.orders.ordersOf(request.userId)).toEqual([])
  expect(await shop.payments.listPayments()).toEqual([])
})

test('one token, used five times at once, verifies once', async () => {
  // Given a user who was mailed a token
  const user = await given.insert('user')
  await shop.onboarding.startOnboarding(user)
  const token = new URL(currentSandbox().mails[0]!.links[0]!).searchParams.get('token')!

  // When it is used five times
  const results = await atOnce(5, () => shop.onboarding.verifyEmail(token))

  // Then the first counts
  expect(results.filter(({ ok }) => ok)).toHaveLength(1)
  expect(results.filter((result) => !result.ok && result.error === 'used_token')).toHaveLength(4)
})

test('one profile, set up five times at once, is set up once', async () => {
  // Given a user whose email is verified
  const user = await given.insert('user')
  await shop.onboarding.startOnboarding(user)
  await shop.onboarding.verifyEmail(new URL(currentSandbox().mails[0]!.links[0]!).searchParams.get('token')!)

  // When they send their profile five times
  const results = await atOnce(5, (index) =>
    shop.onboarding.setupProfile(user, { firstName: 'Ada', lastName: `No. ${index}` }),
  )

  // Then one of them stands
  expect(results.filter(({ ok }) => ok)).toHaveLength(1)
  expect(results.filter((result) => !result.ok && result.error === 'step_out_of_order')).toHaveLength(4)
  const winner = results.findIndex(({ ok }) => ok)
  expect(await shop.profiles.getProfile(user.id)).toMatchObject({ lastName: `No. ${winner}` })
})
