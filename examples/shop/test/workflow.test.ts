// Workflow: the way of a user from registration to active, with state, step, mail and token after each step.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { currentSandbox } from 'vivarium'
import type { User } from '../src/accounts/accounts.ts'
import { states } from '../src/onboarding/states.ts'
import type { OnboardingState, OnboardingTransition } from '../src/onboarding/states.ts'
import { given } from './support/factories.ts'
import { provider } from './support/payment-provider.ts'
import { openTestShop } from './support/test-shop.ts'

const { shop } = openTestShop()

const ada = { firstName: 'Ada', lastName: 'Lovelace', bio: 'Poet of science' }

async function givenUser(): Promise<User> {
  return await given.insert('user', { email: 'ada@example.com' })
}

/** The token in the latest mail, as the user finds it: in the link. */
function mailedToken(): string {
  const mail = currentSandbox().mails.findLast(({ subject }) => subject === 'Verify your email')
  if (!mail) return 'none was mailed'
  return new URL(mail.links[0]!).searchParams.get('token')!
}

/** Each step, as the user takes it, in the order of the way. */
const steps: Record<OnboardingTransition, (user: User) => Promise<{ ok: boolean }>> = {
  startOnboarding: (user) => shop.onboarding.startOnboarding(user),
  verifyEmail: () => shop.onboarding.verifyEmail(mailedToken()),
  setupProfile: (user) => shop.onboarding.setupProfile(user, ada),
  setupPayment: (user) => shop.onboarding.setupPayment(user, { cardToken: 'tok_visa' }),
  activate: (user) => shop.onboarding.activate(user),
}

/** A user who has taken all steps that lead to a state. */
async function givenUserIn(state: OnboardingState): Promise<User> {
  const user = await givenUser()
  for (const [name, take] of Object.entries(steps)) {
    if ((await shop.onboarding.statusOf(user))?.state === state) break
    expect(await take(user), name).toMatchObject({ ok: true })
  }
  expect(await shop.onboarding.statusOf(user)).toMatchObject({ state })
  return user
}

/** Everything of a user that a step could change. */
async function everythingOf(user: User): Promise<unknown> {
  return {
    status: await shop.onboarding.statusOf(user),
    user: await shop.accounts.findUser(user.id),
    profile: await shop.profiles.getProfile(user.id),
    mails: currentSandbox().mails.length,
  }
}

test('a user is onboarded, step after step', async () => {
  // Given a user who has registered
  const user = await givenUser()
  expect(await shop.onboarding.statusOf(user)).toEqual({ userId: user.id, state: 'registered', step: 'not_started' })

  // When onboarding starts, then a mail with a link and a token in it is sent to them
  const started = await shop.onboarding.startOnboarding(user)
  expect(started).toMatchObject({ ok: true, state: 'verification_pending', step: 'email_verification', mailed: true })
  expect(currentSandbox()).toHaveSentMail(
    {
      to: user.email,
      subject: 'Verify your email',
      links: /^https:\/\/shop\.example\.com\/verify-email\?token=[\w-]{43}$/,
    },
    { times: 1 },
  )

  // When they use the token, then their email is verified, and the profile is next
  const verified = await shop.onboarding.verifyEmail(mailedToken())
  expect(verified).toEqual({ ok: true, userId: user.id, state: 'verified', step: 'profile_setup' })

  // When they set up their profile, then it is there, and payment is next
  const described = await shop.onboarding.setupProfile(user, ada)
  expect(described).toMatchObject({ ok: true, state: 'profile_complete', step: 'payment_setup' })
  expect(await shop.profiles.getProfile(user.id)).toMatchObject(ada)

  // When they set up payment, then the card was checked, and is the one that orders are charged to
  provider.expect.checkCard({ cardToken: 'tok_visa' })
  const payable = await shop.onboarding.setupPayment(user, { cardToken: 'tok_visa' })
  expect(payable).toMatchObject({ ok: true, state: 'payment_complete', step: 'complete' })
  expect(await shop.accounts.findUser(user.id)).toMatchObject({ cardToken: 'tok_visa' })

  // When they are activated, then they are active, and one mail was sent in all
  expect(await shop.onboarding.activate(user)).toMatchObject({ ok: true, state: 'active', step: 'complete' })
  expect(await shop.onboarding.statusOf(user)).toEqual({ userId: user.id, state: 'active', step: 'complete' })
  expect(currentSandbox()).toHaveSentMails(1)
})

describe('a step out of order is refused by name, and changes nothing', () => {
  /** When each step is in order: as it was agreed on, whatever the shop's own table says. */
  const inOrder: Record<OnboardingTransition, readonly OnboardingState[]> = {
    startOnboarding: ['registered', 'verification_pending'],
    verifyEmail: ['verification_pending'],
    setupProfile: ['verified'],
    setupPayment: ['profile_complete'],
    activate: ['payment_complete'],
  }
  const names = Object.keys(steps) as OnboardingTransition[]
  const illegal = names.flatMap((name) => {
    const others = (Object.keys(states) as OnboardingState[]).filter((state) => !inOrder[name].includes(state))
    return others.map((state) => [name, state] as const)
  })

  test.each(illegal)('%s in state %s', async (name, state) => {
    // Given a user in a state in which it is not their turn for this step
    const user = await givenUserIn(state)
    const before = await everythingOf(user)
    provider.deny.checkCard()

    // When they try it all the same
    const result = await steps[name](user)

    // Then it is refused: an email can be verified only with a token, which there is none yet, or is used by now
    const tokenError = state === 'registered' ? 'unknown_token' : 'used_token'
    expect(result).toEqual({ ok: false, error: name === 'verifyEmail' ? tokenError : 'step_out_of_order' })
    expect(await everythingOf(user)).toEqual(before)
  })

  test.each(names.filter((name) => name !== 'verifyEmail'))('%s of nobody: unknown_user', async (name) => {
    // Given a user who does not exist, when they take a step, then they are unknown, and nobody gets a mail
    const nobody = { id: 1, email: 'nobody@example.com', cardToken: null }
    expect(await steps[name](nobody)).toEqual({ ok: false, error: 'unknown_user' })
    expect(currentSandbox()).toHaveSentMails(0)
  })
})

describe('a token', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  test('verifies once: used_token', async () => {
    // Given a user who has verified their email
    await givenUserIn('verified')

    // When they follow the link again, then it is refused, and they are as far as they were
    expect(await shop.onboarding.verifyEmail(mailedToken())).toEqual({ ok: false, error: 'used_token' })
    expect(await shop.onboarding.statusOf({ id: 1 })).toMatchObject({ state: 'verified' })
  })

  test.each([
    ['a moment before a day has passed', -1, { ok: true, state: 'verified' }],
    ['after a day', 0, { ok: false, error: 'expired_token' }],
  ])('%s', async (_when, moreMs, expected) => {
    // Given a user whose token was mailed at noon
    const noon = new Date('2026-03-01T12:00:00Z')
    vi.useFakeTimers({ toFake: ['Date'], now: noon })
    const user = await givenUserIn('verification_pending')
    const token = mailedToken()

    // When it is used about a day later
    vi.setSystemTime(noon.getTime() + 86_400_000 + moreMs)
    const result = await shop.onboarding.verifyEmail(token)

    // Then it is good until the day is over; afterwards the user can start again
    expect(result).toMatchObject(expected)
    expect((await shop.onboarding.startOnboarding(user)).ok).toBe(!result.ok)
  })

  test('is replaced by the next one: unknown_token', async () => {
    // Given a user who has started twice
    const user = await givenUserIn('verification_pending')
    const first = mailedToken()
    await shop.onboarding.startOnboarding(user)

    // When they use the first token, then it is refused, and the second is good
    expect(await shop.onboarding.verifyEmail(first)).toEqual({ ok: false, error: 'unknown_token' })
    expect(await shop.onboarding.verifyEmail(mailedToken())).toMatchObject({ ok: true })
  })

  test('is nowhere in the database, nor ever was', async () => {
    await givenUserIn('verified')
    expect(JSON.stringify(currentSandbox().queries)).not.toContain(mailedToken())
  })
})

describe('a step that fails', () => {
  test('a mail that was not taken: the user can start again', async () => {
    // Given a mail server that refuses once
    const user = await givenUser()
    currentSandbox().mail.reject('greylisted', { to: user.email, times: 1 })

    // When onboarding starts twice, then the second mail arrives
    expect(await shop.onboarding.startOnboarding(user)).toMatchObject({ ok: true, mailed: false })
    expect(await shop.onboarding.startOnboarding(user)).toMatchObject({ ok: true, mailed: true })
    expect(await shop.onboarding.verifyEmail(mailedToken())).toMatchObject({ ok: true })
  })

  test('card_declined: nothing changes, and another card is accepted', async () => {
    // Given a user whose first card will be declined, and whose second will not
    const user = await givenUserIn('profile_complete')
    const before = await everythingOf(user)
    const declined = { status: 'declined', reason: 'expired_card' } as const
    provider.expect.checkCard({ cardToken: 'tok_expired' }).resolves(declined)
    provider.expect.checkCard({ cardToken: 'tok_visa' })

    // When they give it, then it is refused
    const result = await shop.onboarding.setupPayment(user, { cardToken: 'tok_expired' })
    expect(result).toEqual({ ok: false, error: 'card_declined' })
    expect(await everythingOf(user)).toEqual(before)
    // and the next one is not
    expect(await steps.setupPayment(user)).toMatchObject({ ok: true })
  })

  test('a payment provider that cannot be reached: the failure is thrown on, and nothing changes', async () => {
    const user = await givenUserIn('profile_complete')
    const before = await everythingOf(user)
    provider.expect.checkCard().rejects(new Error('connect ECONNREFUSED'))
    await expect(steps.setupPayment(user)).rejects.toThrow('connect ECONNREFUSED')
    expect(await everythingOf(user)).toEqual(before)
  })

  test('a malformed profile: the step is still to be taken', async () => {
    const user = await givenUserIn('verified')
    await expect(shop.onboarding.setupProfile(user, { ...ada, firstName: ' ' })).rejects.toThrow('firstName')
    expect(await steps.setupProfile(user)).toMatchObject({ ok: true })
  })
})
