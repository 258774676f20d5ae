// External API, by mail: who registers is welcomed, once, through the real SMTP client and a real SMTP server.
import { describe, expect, test } from 'vitest'
import { currentSandbox } from 'vivarium'
import { openTestShop } from '../support/test-shop.ts'

const { shop } = openTestShop()
const ada = { email: 'ada@example.com', password: 'correct horse battery' }

describe('registering a user', () => {
  test('sends exactly one welcome mail, to that address', async () => {
    // Given nobody
    expect(currentSandbox()).toHaveSentMails(0)

    // When a user registers
    const result = await shop.accounts.registerUser(ada)

    // Then they are welcomed, and nobody else
    expect(result).toEqual({ ok: true, user: { id: 1, email: ada.email, cardToken: null }, welcomed: true })
    expect(currentSandbox()).toHaveSentMails(1)
    expect(currentSandbox()).toHaveSentMail({
      from: 'shop@example.com',
      to: ['ada@example.com'],
      subject: 'Welcome to the shop',
      text: /^Hello ada@example\.com,/,
      attachments: [],
    })
  })

  test('sends it after the user is stored', async () => {
    // When a user registers
    const seen = await currentSandbox().observe(() => shop.accounts.registerUser(ada))

    // Then the mail is the last thing that happens
    expect(seen.interactions.map(({ component }) => component)).toEqual(['postgres', 'mail'])
  })

  test('stores the password so that only its owner can tell it', async () => {
    // Given a user who has registered
    await shop.accounts.registerUser(ada)

    // Then the password finds them, and another one nobody
    expect(await shop.accounts.findByPassword(ada)).toMatchObject({ email: ada.email })
    expect(await shop.accounts.findByPassword({ ...ada, password: 'correct horse' })).toBeUndefined()
    // and the database was never told the password
    expect(JSON.stringify(currentSandbox().queries)).not.toContain(ada.password)
  })

  test.each([
    ['malformed_email', { ...ada, email: 'ada at example' }],
    ['weak_password', { ...ada, password: '123456789' }],
  ])('%s: is refused by name, with no query and no mail', async (error, registration) => {
    const seen = await currentSandbox().observe(() => shop.accounts.registerUser(registration))
    expect(seen.result).toEqual({ ok: false, error })
    expect(seen.interactions).toEqual([])
  })

  test('email_taken: is refused by name, also in capitals, and the second one is not welcomed', async () => {
    // Given a user
    await shop.accounts.registerUser(ada)

    // When somebody registers with their email
    const seen = await currentSandbox().observe(() =>
      shop.accounts.registerUser({ email: 'Ada@Example.com', password: 'another password' }),
    )

    // Then they are refused, and the first one's password still holds
    expect(seen.result).toEqual({ ok: false, error: 'email_taken' })
    expect(seen).not.toHaveSentMail()
    expect(await shop.accounts.findByPassword(ada)).toBeDefined()
  })
})

describe('a mail service that does not take the mail', () => {
  test.each(['mailbox-full', 'greylisted', 'dropped'] as const)('%s: the registration stands', async (kind) => {
    // Given a mail server that refuses
    currentSandbox().mail.reject(kind, { to: ada.email })

    // When the user registers
    const result = await shop.accounts.registerUser(ada)

    // Then they are registered, and the shop knows that they were not welcomed
    expect(result).toMatchObject({ ok: true, welcomed: false })
    expect(await shop.accounts.findByPassword(ada)).toBeDefined()
    expect(currentSandbox()).toHaveSentMails(0)
  })
})
