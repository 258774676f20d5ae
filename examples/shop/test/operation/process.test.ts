// The shop as a process of its own, on the sandbox of the test: what it writes and mails is seen here, and is gone afterwards.
import { Pool } from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { currentSandbox, eventually } from 'vivarium'
import { startShopProcess } from '../support/shop-process.ts'
import type { ShopProcess } from '../support/shop-process.ts'

const ada = { email: 'ada@example.com', password: 'correct horse battery' }

/** The production program, on the URLs that are pinned to this test's sandbox. */
function startShop(environment: Record<string, string> = {}): ShopProcess {
  return startShopProcess('src/main.ts', {
    DATABASE_URL: currentSandbox().postgres.url,
    MIGRATE: 'never',
    SMTP_URL: currentSandbox().mail.url,
    STRIPE_KEY: 'sk_test_never_called',
    ...environment,
  })
}

interface SignedIn {
  readonly token: string
  readonly user: { readonly id: number }
}

/** Whether nobody listens there any more. */
async function isRefused(url: string): Promise<boolean> {
  return await fetch(`${url}/health/live`).then(
    () => false,
    () => true,
  )
}

async function post(url: string, json: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' }
  return await fetch(url, { method: 'POST', headers, body: JSON.stringify(json) })
}

test(
  'a user registers with another process, and this test sees the row and the mail',
  { timeout: 60_000 },
  async () => {
    // Given the shop, running
    const url = await startShop().listening

    // When somebody registers there
    const answer = await post(`${url}/api/users`, ada)

    // Then the test sees what crossed
    expect(answer.status).toBe(201)
    expect(currentSandbox()).toHaveSentMail({ to: ada.email, subject: 'Welcome to the shop' }, { times: 1 })
    expect(currentSandbox().queries.map(({ command }) => command)).toContain('INSERT')
  },
)

test('every variable that is wrong is named, and nothing is started', { timeout: 60_000 }, async () => {
  // Given an environment with three mistakes
  const shop = startShop({ SMTP_URL: 'mail.internal', STRIPE_KEY: '', PORT: 'http' })

  // Then it ends with the code for that, and says all three
  expect(await shop.ended).toBe(78)
  expect(shop.printed()).toMatch(/SMTP_URL is not a URL.*\n.*STRIPE_KEY is missing.*\n.*PORT is not a whole number/)
})

describe('SIGTERM', { tags: ['isolation/database'], timeout: 60_000 }, () => {
  /** Keeps every registration waiting, until the function that it resolves to is called. */
  async function lockUsers(): Promise<() => Promise<void>> {
    const pool = new Pool({ connectionString: currentSandbox().postgres.url, max: 1 })
    const client = await pool.connect()
    await client.query('begin')
    await client.query('lock table users in exclusive mode')
    const unlock = async (): Promise<void> => {
      if (pool.ended) return
      await client.query('rollback')
      client.release()
      await pool.end()
    }
    onTestFinished(unlock)
    return unlock
  }

  /** Resolves when a statement waits for a lock: one statement itself, however long that takes. */
  async function untilSomebodyWaits(): Promise<void> {
    const pool = new Pool({ connectionString: currentSandbox().postgres.url, max: 1 })
    await pool.query(
      'do $$ begin while not exists (select from pg_locks where not granted) loop perform pg_sleep(0.01); end loop; end $$',
    )
    await pool.end()
  }

  /** The event stream of another user. */
  async function listenAsGrace(url: string): Promise<Response> {
    const grace = { ...ada, email: 'grace@example.com' }
    await post(`${url}/api/users`, grace)
    const { token, user } = (await (await post(`${url}/api/session`, grace)).json()) as SignedIn
    return await fetch(`${url}/api/users/${user.id}/notifications`, { headers: { authorization: `Bearer ${token}` } })
  }

  test('what is under way is answered, nothing more is taken, and the process ends well', async () => {
    // Given somebody who listens to their notifications, and a registration that is under way
    const shop = startShop()
    const url = await shop.listening
    const events = (await listenAsGrace(url)).text()
    const unlock = await lockUsers()
    const registering = post(`${url}/api/users`, ada)
    await untilSomebodyWaits()

    // When the process is asked to stop, and the registration can go on
    shop.kill('SIGTERM')
    await eventually(() => isRefused(url), { within: 20_000 })
    await unlock()

    // Then the stream has ended, the registration is answered, and the process has ended by itself
    expect(await events).toMatch(/^retry: 1000\n\n/)
    expect((await registering).status).toBe(201)
    expect(await shop.ended).toBe(0)
    expect(shop.printed()).toContain('"event":"stopped"')
  })

  test('what is not answered by the deadline is cut off', async () => {
    // Given a registration that nothing will let go on, and a shop that waits for a tenth of a second
    const shop = startShop({ STOP_MS: '100' })
    const url = await shop.listening
    await lockUsers()
    const registering = post(`${url}/api/users`, ada).catch((error: Error) => error.message)
    await untilSomebodyWaits()

    // When the process is asked to stop
    shop.kill('SIGTERM')

    // Then the client learns that it was cut off, and the log says so
    expect(await registering).toBe('fetch failed')
    expect(await shop.ended).toBe(0)
    expect(shop.printed()).toContain('"event":"requests cut off","requests":1')
  })
})
