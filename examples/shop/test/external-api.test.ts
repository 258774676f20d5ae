// External API: what is asked of the mail service and of Stripe, once each and exactly so, and what becomes of their answers.
import { expect, test } from 'vitest'
import { currentSandbox } from 'vivarium'
import { failsOnce, rateLimited, timeOut } from 'vivarium/http'
import { defineMock } from 'vivarium/mock'
import type { Mailer } from '../src/mail/mailer.ts'
import type { OrderRequest } from '../src/orders/process-order.ts'
import { createStripeGateway } from '../src/payments/stripe-gateway.ts'
import { given } from './support/factories.ts'
import { charged, declined, stripe } from './support/stripe.ts'
import { openTestShop } from './support/test-shop.ts'

/** A double of the mail service: what may be called, and with what, are those of its interface. */
const mailService = defineMock<Mailer>('Mailer')
const { shop: withDouble } = openTestShop({ mailer: mailService.double })

const { shop } = openTestShop({ payments: createStripeGateway({ secretKey: 'sk_test_shop' }) })
/** The same, but it gives Stripe a tenth of a second only. */
const { shop: impatient } = openTestShop({
  payments: createStripeGateway({ secretKey: 'sk_test_shop', timeoutMs: 100 }),
})

const ada = { email: 'ada@example.com', password: 'correct horse battery' }

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

test('registering a user sends exactly one welcome mail', async () => {
  // Given a mail service that will be asked once, which is verified at the end of the test without being asked for
  mailService.expect
    .send({ to: ada.email, subject: 'Welcome to the shop', text: expect.stringContaining('Hello') })
    .resolves()

  // When a user registers
  await withDouble.accounts.registerUser(ada)

  // Then the same can be asserted afterwards, with wildcards
  expect(mailService.double.send).toHaveBeenCalledTimes(1)
  expect(mailService.double.send).toHaveBeenCalledWith({
    to: expect.stringMatching(/@example\.com$/),
    subject: expect.any(String),
    text: expect.any(String),
  })
})

test('the same by real SMTP: the mail that arrives is the welcome', async () => {
  // When a user registers
  await shop.accounts.registerUser(ada)

  // Then there is one mail, to that address, and its body greets
  expect(currentSandbox()).toHaveSentMails(1)
  expect(currentSandbox()).toHaveSentMail({ to: ada.email, subject: 'Welcome to the shop', text: /^Hello ada@/ })
})

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
