// Signing in over HTTP: who you are is a token, which the shop itself cannot read.
import { Pool } from 'pg'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { currentSandbox } from 'vivarium'
import { openTestApp } from '../support/test-app.ts'
import { fromEnvironment } from '../support/test-shop.ts'

const { shop, ask, logged } = openTestApp()
const database = new Pool({ connectionString: fromEnvironment('DATABASE_URL') })
afterAll(() => database.end())
afterEach(() => void vi.useRealTimers())

const ada = { email: 'ada@example.com', password: 'correct horse battery' }

async function signIn(): Promise<string> {
  const { body } = await ask('POST /api/session', { json: ada })
  return (body as { token: string }).token
}

test('who has registered signs in, is known by the token, and is not any more after signing out', async () => {
  // Given a user who has registered
  expect(await ask('POST /api/users', { json: ada })).toMatchObject({ status: 201, body: { welcomed: true } })

  // When they sign in
  const signedIn = await ask('POST /api/session', { json: ada })

  // Then the token says who they are
  const user = { id: 1, email: ada.email }
  expect(signedIn).toMatchObject({ status: 201, body: { token: expect.stringMatching(/^[\w-]{43}$/), user } })
  const { token } = signedIn.body as { token: string }
  expect(await ask('GET /api/session', { token })).toMatchObject({ status: 200, body: { user } })

  // And when they sign out, it says nothing
  expect(await ask('DELETE /api/session', { token })).toMatchObject({ status: 204 })
  expect(await ask('GET /api/session', { token })).toMatchObject({ status: 401, body: { error: 'not_signed_in' } })
})

test('a browser gets the token in a cookie that its scripts cannot read and other sites cannot use', async () => {
  // Given a user
  await shop.accounts.registerUser(ada)

  // When they sign in
  const { headers } = await ask('POST /api/session', { json: ada })

  // Then the cookie is theirs alone
  const [cookie, ...attributes] = headers.get('set-cookie')!.split('; ')
  expect(attributes).toEqual(expect.arrayContaining(['HttpOnly', 'SameSite=Lax', 'Path=/']))
  expect(await ask('GET /api/session', { headers: { cookie: cookie! } })).toMatchObject({ status: 200 })

  // And signing out takes it away
  const signedOut = await ask('DELETE /api/session', { headers: { cookie: cookie! } })
  expect(signedOut.headers.get('set-cookie')).toMatch(/^shop_session=; .*Max-Age=0/)
})

test('a session ends by itself after a fortnight, and is taken away when its user signs in again', async () => {
  // Given somebody who has signed in
  await shop.accounts.registerUser(ada)
  const token = await signIn()

  // When a fortnight has passed
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 14 * 24 * 60 * 60 * 1000 })

  // Then the token is worth nothing
  expect(await ask('GET /api/session', { token })).toMatchObject({ status: 401, body: { error: 'not_signed_in' } })
  // and is not kept
  await signIn()
  expect((await database.query('select * from sessions')).rowCount).toBe(1)
})

test('what the database has of a session, and what is logged, signs nobody in', async () => {
  // Given somebody who has signed in
  await shop.accounts.registerUser(ada)
  const token = await signIn()

  // Then neither the token nor the password is anywhere but with them
  const { rows } = await database.query('select * from sessions')
  for (const secret of [token, ada.password]) {
    expect(JSON.stringify(rows)).not.toContain(secret)
    expect(JSON.stringify(currentSandbox().queries)).not.toContain(secret)
    expect(JSON.stringify(logged)).not.toContain(secret)
  }
})

describe('wrong_credentials', () => {
  test.each([
    ['a wrong password', { ...ada, password: 'correct horse' }],
    ['an email that nobody has', { ...ada, email: 'grace@example.com' }],
  ])('%s: which of the two is wrong is not told', async (_, json) => {
    // Given a user
    await shop.accounts.registerUser(ada)

    // When somebody tries
    const answer = await ask('POST /api/session', { json })

    // Then they learn no more than that
    expect(answer).toMatchObject({ status: 401, body: { error: 'wrong_credentials' } })
    expect(answer.headers.get('set-cookie')).toBeNull()
  })
})
