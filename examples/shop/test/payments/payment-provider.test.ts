// External API, at the shop's own interface to it: what is asked of the payment provider, and what becomes of its answers.
import { expect, test, vi } from 'vitest'
import { currentSandbox } from 'vivarium'
import type { OrderRequest } from '../../src/orders/process-order.ts'
import { given } from '../support/factories.ts'
import { provider } from '../support/payment-provider.ts'
import { openTestShop } from '../support/test-shop.ts'

const { shop } = openTestShop()

/** A user with a card, who wants to order two teapots for 100.00. */
async function givenOrder(cardToken = 'tok_visa'): Promise<OrderRequest> {
  const user = await given.insert('user', { cardToken })
  const teapot = await given.insert('product', { priceCents: 5000, stock: 10 })
  return { userId: user.id, items: [{ productId: teapot.id, quantity: 2 }] }
}

test('paying an order of 100.00 charges the card 10000 cents, and the payment is kept under the provider’s name', async () => {
  // Given a provider that will be asked for 10000 cents of this card, once, and takes them
  const request = await givenOrder('tok_visa')
  provider.expect
    .charge({ amountCents: 10_000, cardToken: 'tok_visa', idempotencyKey: expect.any(String) })
    .resolves({ status: 'succeeded', providerId: 'ch_123', capturedCents: 10_000 })
  provider.deny.refund()

  // When the order is processed
  const result = await shop.orders.processOrder(request)

  // Then it is paid, and its payment says how much was taken, and what the provider calls it
  expect(result).toMatchObject({ ok: true, order: { status: 'paid', totalCents: 10_000 } })
  const [order] = await shop.orders.ordersOf(request.userId)
  expect(await shop.payments.listPayments()).toMatchObject([
    { orderId: order!.id, amountCents: 10_000, status: 'success', providerId: 'ch_123' },
  ])
})

test('the same can be asserted afterwards, with wildcards', async () => {
  // Given a provider that takes every card
  const request = await givenOrder('tok_mastercard')

  // When the order is processed
  await shop.orders.processOrder(request)

  // Then it was asked for the total of that card
  expect(provider.double.charge).toHaveBeenCalledTimes(1)
  expect(provider.double.charge).toHaveBeenCalledWith(
    expect.objectContaining({ amountCents: 10_000, cardToken: expect.stringMatching(/^tok_master/) }),
  )
  expect(provider.double.refund).not.toHaveBeenCalled()
})

test('a declined card is asked for once, and the same order with another card is paid', async () => {
  // Given a provider that declines, and then takes the next card
  const request = await givenOrder('tok_visa')
  const declined = { status: 'declined', reason: 'insufficient_funds' } as const
  const taken = { status: 'succeeded', providerId: 'ch_2', capturedCents: 10_000 } as const
  provider.expect.charge().resolves(declined)
  provider.expect.charge().resolves(taken)

  // When the order is processed twice
  const first = await shop.orders.processOrder(request)
  const second = await shop.orders.processOrder(request)

  // Then the second one is paid
  expect(first).toEqual({ ok: false, error: 'payment_failed' })
  expect(second).toMatchObject({ ok: true, order: { status: 'paid' } })
  expect(await shop.payments.listPayments()).toMatchObject([{ providerId: 'ch_2' }])
  // and each attempt had a key of its own
  const keys = vi.mocked(provider.double.charge).mock.calls.map(([{ idempotencyKey }]) => idempotencyKey)
  expect(new Set(keys).size).toBe(2)
})

test('the card is charged after everything that can be rolled back, and before COMMIT', async () => {
  // Given an order
  const request = await givenOrder()

  // When it is processed
  const { interactions, queries, calls } = await currentSandbox().observe(() => shop.orders.processOrder(request))

  // Then only the payment is written after the charge
  expect(calls).toMatchObject([{ fn: 'charge', outcome: 'returned' }])
  const charged = interactions.indexOf(calls[0]!)
  const after = queries.filter((query) => interactions.indexOf(query) > charged)
  expect(after.map(({ command }) => command)).toEqual(['UPDATE', 'INSERT', 'UPDATE', 'COMMIT'])
})

test('a provider that is slow keeps the order waiting, and can itself be waited for', async () => {
  // Given a provider that answers when the test says so
  const request = await givenOrder()
  let answer = (): void => {}
  const charge = provider.expect.charge().answers(async ({ amountCents }) => {
    await new Promise<void>((resolve) => (answer = resolve))
    return { status: 'succeeded', providerId: 'ch_slow', capturedCents: amountCents }
  })

  // When an order is under way, and the provider has been asked
  const processing = shop.orders.processOrder(request)
  await charge.called({ within: 5000 })
  answer()

  // Then it is paid once the provider has answered
  expect(await processing).toMatchObject({ ok: true, order: { status: 'paid' } })
})
