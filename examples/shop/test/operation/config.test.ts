// The environment is checked once, at the start, and whoever deploys learns of everything that is wrong with it at the same time.
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { ConfigError, readConfig, variables } from '../../src/config/config.ts'

const complete = {
  DATABASE_URL: 'postgres://shop:secret@db.internal:5432/shop',
  SMTP_URL: 'smtp://mail.internal:587',
  STRIPE_KEY: 'sk_test_shop',
}

/** The lines of the error. */
function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
  }
  return []
}

test('what is needed is three variables; the others have defaults', () => {
  expect(readConfig(complete)).toEqual({
    databaseUrl: complete.DATABASE_URL,
    migrates: true,
    redisUrl: undefined,
    smtpUrl: complete.SMTP_URL,
    mailFrom: 'shop@example.com',
    stripeKey: 'sk_test_shop',
    host: '127.0.0.1',
    port: 3000,
    publicUrl: undefined,
    staffToken: undefined,
    logLevel: 'info',
    stopMs: 10_000,
  })
})

test('an empty environment is told all that is missing, at once', () => {
  expect(problemsOf({})).toEqual([
    'DATABASE_URL is missing: set it to something like postgres://user:password@host:5432/shop',
    'SMTP_URL is missing: set it to something like smtp://user:password@host:587',
    'STRIPE_KEY is missing: set it to the secret key of the Stripe account, sk_…',
  ])
})

test.each([
  ['DATABASE_URL', 'mysql://db.internal/shop', 'is not a URL like postgres://user:password@host:5432/shop'],
  ['MIGRATE', 'later', 'is not one of at-start, never'],
  ['REDIS_URL', 'localhost:6379', 'is not a URL like redis://host:6379'],
  ['SMTP_URL', 'mail.internal', 'is not a URL like smtp://user:password@host:587'],
  ['MAIL_FROM', 'the shop', 'is not an email address'],
  ['STRIPE_KEY', 'pk_live_public', 'is not a secret key of Stripe, which begins with sk_ or rk_'],
  ['PORT', '80a', 'is not a whole number from 0 to 65535'],
  ['PORT', '65536', 'is not a whole number from 0 to 65535'],
  ['PUBLIC_URL', 'shop.example.com', 'is not a URL like https://shop.example.com'],
  ['STAFF_TOKEN', 'short', 'is too short or has odd characters: 20 or more of A–Z a–z 0–9 . _ ~ + / = -'],
  ['LOG_LEVEL', 'loud', 'is not one of debug, info, warn, error'],
  ['STOP_MS', '-1', 'is not a whole number from 0 to 600000'],
])('%s=%s: is refused alone, and the value is not repeated', (name, value, problem) => {
  expect(problemsOf({ ...complete, [name]: value })).toEqual([`${name} ${problem}`])
})

test('a variable that is set to nothing is not set, and blanks around a value are not part of it', () => {
  expect(problemsOf({ ...complete, SMTP_URL: ' ' })).toEqual([expect.stringMatching(/^SMTP_URL is missing/)])
  expect(readConfig({ ...complete, REDIS_URL: '', PORT: ' 8080 ' })).toMatchObject({ redisUrl: undefined, port: 8080 })
})

test('the README has every variable', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  expect(variables.filter((name) => !readme.includes(`\`${name}\``))).toEqual([])
})
