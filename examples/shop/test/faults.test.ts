// Every step failing in turn: whatever breaks, before or after it took effect, what is there afterwards belongs together.
import { http, HttpResponse } from 'msw'
import { describe, expect, test } from 'vitest'
import { currentSandbox, everyFault } from 'vivarium'
import type { User } from '../src/accounts/accounts.ts'
import type { Product } from '../src/catalog/catalog.ts'
import type { OnboardingState } from '../src/onboarding/states.ts'
import type { ChargeResult } from '../src/payments/payment-gateway.ts'
import { createStripeGateway } from '../src/payments/stripe-gateway.ts'
import { onRedis } from './support/adapters.ts'
import { given } from './support/factories.ts'
import { brokenInvariants } from './support/invariants.ts'
import { provider, takeEveryCard } from './support/payment-provider.ts'
import type { ObligingGateway } from './support/payment-provider.ts'
import { charged, stripe } from './support/stripe.ts'
import { openTestShop } from './support/test-shop.ts'

const { shop } = openTestShop({ report: () => {} })
const { shop: withStripe } = openTestShop({ payments: createStripeGateway({ secretKey: 'sk_test_shop' }) })

interface GivenOrder {
  /** The payment provider, which takes every card. */
  readonly bank: ObligingGateway
  readonly user: User
  readonly teapot: Product
}

/** A user with a card, and a product with 10 in stock. */
async function givenOrder(): Promise<GivenOrder> {
  const bank = takeEveryCard()
  const user = await given.insert('user', 'withCard')
  const teapot = await given.insert('product', { priceCents: 5000, stock: 10 })
  return { bank, user, teapot }
}

test('an order, its payment, its charge and its stock are there together, or none of them is', async () => {
  const report = await everyFault({
    given: givenOrder,
    // When an order for 2 is processed, and something breaks
    when: ({ user, teapot }) =>
      shop.orders.processOrder({ userId: user.id, items: [{ productId: teapot.id, quantity: 2 }] }),
    // Then, once what was left unfinished is settled, there is an order with everything that belongs to it, or nothing
    holds: async ({ given: { bank, user, teapot }, outcome }) => {
      await shop.payments.settleAttempts({ olderThanMs: 0 })
      expect(await brokenInvariants(bank.kept)).toEqual([])
      const orders = await shop.orders.ordersOf(user.id)
      expect(await shop.inventory.stockOf(teapot.id)).toBe(10 - 2 * orders.length)
      if (outcome.ok) expect([outcome.value.ok, orders.length]).toEqual([true, 1])
    },
  })
  expect(report.runs).toBeGreaterThanOrEqual(42)
}, 120_000)

test('a charge whose order cannot be committed is given back, though that fails at first', async () => {
  const report = await everyFault({
    // Given a provider that takes less than it is asked for, so that the database refuses to commit
    given: async () => {
      const given = await givenOrder()
      provider.stub.charge(async (request): Promise<ChargeResult> => {
        return { ...(await given.bank.charge(request)), capturedCents: 1 } as ChargeResult
      })
      return given
    },
    when: ({ user, teapot }) =>
      shop.orders.processOrder({ userId: user.id, items: [{ productId: teapot.id, quantity: 2 }] }),
    // Then there is no order, and what was charged is given back at the latest when it is settled
    holds: async ({ given: { bank, user, teapot }, outcome }) => {
      expect(outcome.ok).toBe(false)
      await shop.payments.settleAttempts({ olderThanMs: 0 })
      expect(await brokenInvariants(bank.kept)).toEqual([])
      expect(await shop.orders.ordersOf(user.id)).toEqual([])
      expect(await shop.inventory.stockOf(teapot.id)).toBe(10)
    },
  })
  expect(report.runs).toBeGreaterThanOrEqual(50)
}, 120_000)

test('a request to Stripe that breaks is made again, and the card is charged once', async () => {
  const report = await everyFault({
    // Given Stripe, which takes every card, and charges once for each key
    given: async () => {
      const keys = new Set<string | null>()
      stripe.stub(
        http.post('/v1/charges', ({ request }) => {
          keys.add(request.headers.get('idempotency-key'))
          return HttpResponse.json(charged('ch_123', 10_000).json)
        }),
      )
      return { ...(await givenOrder()), keys }
    },
    // When an order is processed, and its one request breaks
    when: ({ user, teapot }) =>
      withStripe.orders.processOrder({ userId: user.id, items: [{ productId: teapot.id, quantity: 2 }] }),
    components: ['http'],
    // Then it is paid all the same, by one charge
    holds: async ({ given: { keys }, outcome }) => {
      expect(outcome).toMatchObject({ ok: true, value: { ok: true, order: { status: 'paid' } } })
      expect(keys.size).toBe(1)
      expect(await brokenInvariants(['ch_123'])).toEqual([])
    },
  })
  expect(report.runs).toBe(3)
}, 120_000)

/** What a user does next, in each state in which there is something to do. */
const next: Partial<Record<OnboardingState, (user: User) => Promise<unknown>>> = {
  registered: (user) => shop.onboarding.startOnboarding(user),
  verification_pending: async (user) => {
    const mail = currentSandbox().mails.findLast(({ subject }) => subject === 'Verify your email')
    // A mail that never came: the user asks for another one.
    if (!mail) return await shop.onboarding.startOnboarding(user)
    return await shop.onboarding.verifyEmail(new URL(mail.links[0]!).searchParams.get('token')!)
  },
  verified: (user) => shop.onboarding.setupProfile(user, { firstName: 'Ada', lastName: 'Lovelace' }),
  profile_complete: (user) => shop.onboarding.setupPayment(user, { cardToken: 'tok_visa' }),
  payment_complete: (user) => shop.onboarding.activate(user),
}

/** Goes on from where the user stands, until there is nothing left to do. */
async function goOn(user: User): Promise<OnboardingState> {
  for (;;) {
    const { state } = (await shop.onboarding.statusOf(user))!
    const step = next[state]
    if (!step) return state
    await step(user)
  }
}

test('a user is as far as what they have done, and can go on from there', async () => {
  const report = await everyFault({
    given: () => given.insert('user'),
    // When a user goes all the way, and something breaks
    when: goOn,
    // Then what is there belongs together, and they can go on to the end
    holds: async ({ given: user }) => {
      expect(await brokenInvariants([])).toEqual([])
      expect(await goOn(user)).toBe('active')
      expect(await brokenInvariants([])).toEqual([])
    },
  })
  expect(report.runs).toBeGreaterThanOrEqual(51)
}, 120_000)

test('nobody is welcomed who is not registered, and who is not can register', async () => {
  const ada = { email: 'ada@example.com', password: 'correct horse battery' }
  const report = await everyFault({
    // When somebody registers, and something breaks
    when: () => shop.accounts.registerUser(ada),
    // Then they are registered, or can still be
    holds: async () => {
      expect(await brokenInvariants([])).toEqual([])
      const isRegistered = (await shop.accounts.findByPassword(ada)) !== undefined
      expect((await shop.accounts.registerUser(ada)).ok).toBe(!isRegistered)
    },
  })
  expect(report.runs).toBe(6)
}, 120_000)

describe('a profile that is cached in Redis', onRedis, () => {
  const { shop: cached } = openTestShop({ adapter: 'redis', report: () => {} })

  test('is read as it is, whatever breaks on the way to Redis', async () => {
    const report = await everyFault({
      // Given a user's profile, which nobody has read
      given: () => given.insert('profile'),
      // When it is read, changed, and read again
      when: async ({ id, userId }) => {
        const before = await cached.profiles.getProfile(userId)
        await cached.profiles.updateProfile(id, { bio: 'Poet of science' })
        return [before, await cached.profiles.getProfile(userId)]
      },
      components: ['redis'],
      // Then the change is seen, and nobody has noticed that something broke
      holds: ({ given: profile, outcome }) => {
        expect(outcome).toEqual({ ok: true, value: [profile, { ...profile, bio: 'Poet of science' }] })
      },
    })
    expect(report.runs).toBeGreaterThanOrEqual(18)
  }, 120_000)
})
