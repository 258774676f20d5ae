// Onboarding over HTTP, as a program or a page goes through it; what each step does is in workflow.test.ts.
import { afterEach, describe, expect, test, vi } from 'vitest'
import { currentSandbox } from 'vivarium'
import { provider } from '../support/payment-provider.ts'
import { openTestApp, staffToken } from '../support/test-app.ts'

const { ask } = openTestApp()
afterEach(() => void vi.useRealTimers())

const ada = { email: 'ada@example.com', password: 'correct horse battery' }
const profile = { firstName: 'Ada', lastName: 'Lovelace', bio: 'Poet of science' }

/** The token of somebody who has registered, has signed in, and has asked for the mail. */
async function givenAda(): Promise<string> {
  await ask('POST /api/users', { json: ada })
  const { body } = await ask('POST /api/session', { json: ada })
  const { token } = body as { token: string }
  await ask('POST /api/onboarding/start', { token })
  return token
}

/** The token that stands in the link of the mail. */
async function mailedToken(): Promise<string> {
  const mail = await currentSandbox().mail.received({ to: ada.email, subject: 'Verify your email' })
  return new URL(mail.links[0]!).searchParams.get('token')!
}

test('a user registers, verifies the email, sets up profile and payment, and is active', async () => {
  // Given somebody who has registered and has been sent the mail
  const token = await givenAda()
  expect((await ask('GET /api/onboarding', { token })).body).toEqual({
    state: 'verification_pending',
    step: 'email_verification',
  })

  // When they go through the steps, then each answer says where they stand and what comes next
  const verified = await ask('POST /api/onboarding/verify', { json: { token: await mailedToken() } })
  expect([verified.status, verified.body]).toEqual([200, { state: 'verified', step: 'profile_setup' }])
  const named = await ask('POST /api/onboarding/profile', { token, json: profile })
  expect(named.body).toEqual({ state: 'profile_complete', step: 'payment_setup' })
  const paying = await ask('POST /api/onboarding/payment', { token, json: { cardToken: 'tok_visa' } })
  expect(paying.body).toEqual({ state: 'payment_complete', step: 'complete' })
  expect((await ask('POST /api/onboarding/activate', { token })).body).toEqual({ state: 'active', step: 'complete' })

  // And the profile is there, and the card's token is nowhere to be read
  const read = await ask('GET /api/users/1/profile', { token })
  expect(read.body).toEqual({ profile: { id: 1, userId: 1, ...profile } })
  expect(JSON.stringify(await ask('GET /api/session', { token }))).not.toContain('tok_visa')
})

describe('refused by name, and nothing has changed', () => {
  test('used_token: a mailed link works once', async () => {
    // Given somebody who has used the link
    const token = await givenAda()
    const json = { token: await mailedToken() }
    await ask('POST /api/onboarding/verify', { json })

    // When it is used again, or another one is asked for
    const again = await ask('POST /api/onboarding/verify', { json })
    const another = await ask('POST /api/onboarding/start', { token })

    // Then both are refused
    expect(again).toMatchObject({ status: 409, body: { error: 'used_token' } })
    expect(another).toMatchObject({ status: 409, body: { error: 'step_out_of_order' } })
    expect(currentSandbox()).toHaveSentMail({ subject: 'Verify your email' }, { times: 1 })
  })

  test('expired_token: a mailed link works for a day', async () => {
    // Given a link that is a day old
    await givenAda()
    const json = { token: await mailedToken() }
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 24 * 60 * 60 * 1000 })

    // When it is used, then it is refused
    expect(await ask('POST /api/onboarding/verify', { json })).toMatchObject({
      status: 422,
      body: { error: 'expired_token' },
    })
  })

  test('card_declined: the step can be taken with another card', async () => {
    // Given somebody who has come as far as the payment, and a provider that declines the first card
    const token = await givenAda()
    await ask('POST /api/onboarding/verify', { json: { token: await mailedToken() } })
    await ask('POST /api/onboarding/profile', { token, json: profile })
    provider.expect.checkCard({ cardToken: 'tok_chargeDeclined' }).resolves({ status: 'declined', reason: 'expired' })
    provider.expect.checkCard({ cardToken: 'tok_visa' }).resolves({ status: 'accepted' })

    // When they try one card, and then the other one
    const first = await ask('POST /api/onboarding/payment', { token, json: { cardToken: 'tok_chargeDeclined' } })
    const second = await ask('POST /api/onboarding/payment', { token, json: { cardToken: 'tok_visa' } })

    // Then the first is refused
    expect(first).toMatchObject({ status: 422, body: { error: 'card_declined' } })
    expect(second).toMatchObject({ status: 200, body: { state: 'payment_complete' } })
  })

  test('not_signed_in: the staff’s token is nobody’s', async () => {
    expect(await ask('POST /api/onboarding/activate', { token: staffToken })).toMatchObject({ status: 401 })
  })
})
