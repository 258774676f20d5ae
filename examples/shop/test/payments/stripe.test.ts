// More of Stripe: handlers, outages, what becomes of a charge that nobody has answered for, cards that are checked.
import { http, HttpResponse } from 'msw'
import { expect, test } from 'vitest'
import { currentSandbox } from 'vivarium'
import { down, timeOut } from 'vivarium/http'
import type { OrderRequest } from '../../src/orders/process-order.ts'
import { createStripeGateway } from '../../src/payments/stripe-gateway.ts'
import { given } from '../support/factories.ts'
import { acceptCard, charged, declined, stripe } from '../support/stripe.ts'
import { openTestShop } from '../support/test-shop.ts'

const { shop } = openTestShop({ payments: createStripeGateway({ secretKey: 'sk_test_shop' }) })
/** The same, but it gives Stripe a tenth of a second only. */
const { shop: impatient } = openTestShop({
  payments: createStripeGateway({ secretKey: 'sk_test_shop', timeoutMs: 100 }),
})

/** A user with a card, who wants to order two teapots for 100.00. */
async function givenOrder(cardToken = 'tok_visa'): Promise<OrderRequest> {
  const user = await given.insert('user', { cardToken })
  const teapot = await given.insert('product', { priceCents: 5000, stock: 10 })
  return { userId: user.id, items: [{ productId: teapot.id, quantity: 2 }] }
}

/** The keys under which Stripe was asked, one for each request. */
function idempotencyKeys(): (string | undefined)[] {
  return currentSandbox().requests.map(({ headers }) => headers['idempotency-key'])
}

async function expectNothingIsKept({ userId, items }: OrderRequest): Promise<void> {
  expect(await shop.orders.ordersOf(userId)).toEqual([])
  expect(await shop.payments.listPayments()).toEqual([])
  expect(await shop.inventory.stockOf(items[0]!.productId)).toBe(10)
}

test('one card is declined and another one taken, by a handler that looks at the card', async () => {
  // Given Stripe, which declines a card and takes all others
  const request = await givenOrder('tok_chargeDeclined')
  const other = await given.insert('user', 'withCard')
  const { json: taken } = charged('ch_123', 10_000)
  const { json: refused } = declined('generic_decline')
  stripe.stub(
    http.post('/v1/charges', async ({ request: asked }) => {
      const source = new URLSearchParams(await asked.text()).get('source')
      return source === 'tok_visa' ? HttpResponse.json(taken) : HttpResponse.json(refused, { status: 402 })
    }),
  )

  // When both users order the same
  const first = await shop.orders.processOrder(request)
  const second = await shop.orders.processOrder({ ...request, userId: other.id })

  // Then one order is refused, and the other one paid
  expect(first).toEqual({ ok: false, error: 'payment_failed' })
  expect(second).toMatchObject({ ok: true, order: { status: 'paid' } })
})

test('a time-out behind which Stripe has charged all the same: the charge is found later, and given back', async () => {
  // Given an order that failed because Stripe did not answer
  const request = await givenOrder()
  stripe.becomes(timeOut())
  await expect(impatient.orders.processOrder(request)).rejects.toMatchObject({ type: 'StripeConnectionError' })

  // When Stripe answers again, and has made the charge
  stripe.recovers()
  const key = idempotencyKeys()[0]!
  const query = `metadata['attempt']:'${key}' AND status:'succeeded'`
  const { json: charge } = charged('ch_123', 10_000)
  stripe
    .expect('GET /v1/charges/search', { query: { query, limit: '1' } })
    .replies({ json: { object: 'search_result', data: [charge], has_more: false } })
  stripe.expect('POST /v1/refunds', { form: { charge: 'ch_123' }, headers: { 'idempotency-key': `${key}:refund` } })

  // Then it is given back
  expect(await shop.payments.settleAttempts({ olderThanMs: 0 })).toEqual({ refunded: 1, void: 0, failed: 0 })
})

test('a time-out behind which nothing was charged: there is nothing to give back', async () => {
  // Given an order that failed because Stripe did not answer, and Stripe, which knows of no charge
  const request = await givenOrder()
  stripe.becomes(timeOut())
  await expect(impatient.orders.processOrder(request)).rejects.toMatchObject({ type: 'StripeConnectionError' })
  stripe.recovers()
  stripe.expect('GET /v1/charges/search').replies({ json: { object: 'search_result', data: [], has_more: false } })
  stripe.deny('POST /v1/refunds')

  // When it is looked for, once
  const first = await shop.payments.settleAttempts({ olderThanMs: 0 })

  // Then it is not looked for again
  expect(first).toEqual({ refunded: 0, void: 1, failed: 0 })
  expect(await shop.payments.settleAttempts({ olderThanMs: 0 })).toEqual({ refunded: 0, void: 0, failed: 0 })
})

test('Stripe down and back: the order fails, and the same order is paid later, under a new key', async () => {
  // Given Stripe that cannot be reached
  const request = await givenOrder()
  stripe.becomes(down())
  await expect(shop.orders.processOrder(request)).rejects.toMatchObject({ type: 'StripeConnectionError' })

  // When it is back, and the order is processed again
  stripe.recovers()
  stripe.expect('POST /v1/charges').replies(charged('ch_123', 10_000))
  const result = await shop.orders.processOrder(request)

  // Then it is paid
  expect(result).toMatchObject({ ok: true, order: { status: 'paid' } })
})

test('a COMMIT that fails gives the charge back, under a key of its own', async () => {
  // Given Stripe that takes less than the order's total, so that COMMIT is refused
  const request = await givenOrder()
  const charge = stripe.expect('POST /v1/charges').replies(charged('ch_123', 4000))
  const refund = stripe.expect('POST /v1/refunds', { form: { charge: 'ch_123' } })

  // When the order is processed
  const processing = shop.orders.processOrder(request)

  // Then the failure surfaces, and the charge was refunded
  await expect(processing).rejects.toMatchObject({ cause: { code: '23514' } })
  const key = charge.requests[0]!.headers['idempotency-key']
  expect(refund.requests).toMatchObject([{ headers: { 'idempotency-key': `${key}:refund` }, status: 200 }])
  await expectNothingIsKept(request)
})

test('what a test does not care about is answered out of the document', async () => {
  // Given Stripe that answers anything the document allows
  const request = await givenOrder()
  stripe.stubFromContract()

  // When the order is processed
  const result = await shop.orders.processOrder(request)

  // Then it is paid
  expect(result).toMatchObject({ ok: true, order: { status: 'paid' } })
})

test('a card is checked without a charge, and kept only when its bank accepts it', async () => {
  // Given Stripe, which knows the card, and whose first check fails
  const gateway = createStripeGateway({ secretKey: 'sk_test_shop' })
  acceptCard()
  stripe.deny('POST /v1/charges')
  stripe.expect('POST /v1/setup_intents').replies(declined('insufficient_funds'))

  // When it is checked, then it is declined; and what would need its owner to come by for each charge is as good as that
  const card = { cardToken: 'tok_visa' }
  expect(await gateway.checkCard(card)).toEqual({ status: 'declined', reason: 'insufficient_funds' })
  stripe
    .expect('POST /v1/setup_intents')
    .replies({ json: { id: 'seti_1', object: 'setup_intent', status: 'requires_action' } })
  expect(await gateway.checkCard(card)).toEqual({ status: 'declined', reason: 'requires_action' })
})
