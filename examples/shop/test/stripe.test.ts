// External API, on its wire: the official SDK, what it sends to Stripe, and what the shop makes of the answers.
import { http, HttpResponse } from 'msw'
import { expect, test } from 'vitest'
import { currentSandbox } from 'vivarium'
import { down, failsOnce, rateLimited, timeOut } from 'vivarium/http'
import type { OrderRequest } from '../src/orders/process-order.ts'
import { createStripeGateway } from '../src/payments/stripe-gateway.ts'
import { acceptCard, charged, declined, stripe } from './support/stripe.ts'
import { openTestShop } from './support/test-shop.ts'

const { shop } = openTestShop({ payments: createStripeGateway({ secretKey: 'sk_test_shop' }) })
/** The same, but it gives Stripe a tenth of a second only. */
const { shop: impatient } = openTestShop({
  payments: createStripeGateway({ secretKey: 'sk_test_shop', timeoutMs: 100 }),
})

/** A user with a card, who wants to order two teapots for 100.00. */
async function givenOrder(cardToken = 'tok_visa'): Promise<OrderRequest> {
  const user = await shop.accounts.createUser({ email: 'ada@example.com', cardToken })
  const teapot = await shop.catalog.addProduct({ name: 'Teapot', priceCents: 5000 })
  await shop.inventory.setStock(teapot.id, 10)
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

test('paying an order of 100.00 charges Stripe 10000 cents with the card’s token, and ch_123 is kept', async () => {
  // Given a user who pays with tok_visa, and Stripe, which will be asked for 10000 cents of it
  const request = await givenOrder('tok_visa')
  const charge = stripe
    .expect('POST /v1/charges', {
      form: { amount: 10_000, currency: 'usd', source: 'tok_visa', metadata: { attempt: expect.any(String) } },
    })
    .replies(charged('ch_123', 10_000))

  // When the order is processed
  const result = await shop.orders.processOrder(request)

  // Then it is paid, and the payment has the order's id, the amount and Stripe's name for the charge
  expect(result).toMatchObject({ ok: true, order: { status: 'paid', totalCents: 10_000 } })
  const [order] = await shop.orders.ordersOf(request.userId)
  expect(await shop.payments.listPayments()).toMatchObject([
    { orderId: order!.id, amountCents: 10_000, status: 'success', providerId: 'ch_123' },
  ])
  // and Stripe was asked in the shop's name
  expect(charge.requests).toMatchObject([{ headers: { authorization: 'Bearer sk_test_shop' }, status: 200 }])
})

test('a declined card: the order is refused, and nothing of it is kept', async () => {
  // Given a card that the bank declines
  const request = await givenOrder()
  stripe.expect('POST /v1/charges').replies(declined('insufficient_funds'))

  // When the order is processed
  const result = await shop.orders.processOrder(request)

  // Then it is refused by name
  expect(result).toEqual({ ok: false, error: 'payment_failed' })
  await expectNothingIsKept(request)
})

test('one card is declined and another one taken, by a handler that looks at the card', async () => {
  // Given Stripe, which declines a card and takes all others
  const request = await givenOrder('tok_chargeDeclined')
  const other = await shop.accounts.createUser({ email: 'grace@example.com', cardToken: 'tok_visa' })
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

test('a time-out: the SDK asks once more with the same key, then the order fails and nothing of it is kept', async () => {
  // Given Stripe that never answers
  const request = await givenOrder()
  stripe.becomes(timeOut())

  // When the order is processed
  const processing = impatient.orders.processOrder(request)

  // Then the failure is thrown, after two requests with one key
  await expect(processing).rejects.toMatchObject({ type: 'StripeConnectionError' })
  const [first, second, ...more] = idempotencyKeys()
  expect(first).toMatch(/^[0-9a-f-]{36}$/)
  expect(second).toBe(first)
  expect(more).toEqual([])
  await expectNothingIsKept(request)
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

test('Stripe’s 500: the SDK asks once more with the same key, and the order is paid once', async () => {
  // Given Stripe that fails once and then takes the card
  const request = await givenOrder()
  stripe.stub('POST /v1/charges').replies(charged('ch_123', 10_000))
  stripe.becomes(failsOnce(500))

  // When the order is processed
  const result = await shop.orders.processOrder(request)

  // Then it is paid, and both requests had one key
  expect(result).toMatchObject({ ok: true, order: { status: 'paid' } })
  expect(await shop.payments.listPayments()).toHaveLength(1)
  expect(currentSandbox().requests.map(({ status }) => status)).toEqual([500, 200])
  expect(new Set(idempotencyKeys()).size).toBe(1)
})

test('a rate limit: it is not asked again, the order fails and nothing of it is kept', async () => {
  // Given Stripe that wants to be asked again in 30 seconds
  const request = await givenOrder()
  stripe.becomes(rateLimited(30))

  // When the order is processed
  const processing = shop.orders.processOrder(request)

  // Then the failure is thrown at once
  await expect(processing).rejects.toMatchObject({ type: 'StripeRateLimitError', statusCode: 429 })
  expect(idempotencyKeys()).toHaveLength(1)
  await expectNothingIsKept(request)
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
