// Two instances of the shop behind the servers that run on this machine: PostgreSQL, Redis, and a mail service in a process of its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findRealServers, startMailService } from '../support/real-servers.ts'
import { startShopProcess } from '../support/shop-process.ts'

const ada = { email: 'ada@example.com', password: 'correct horse battery' }
const staffToken = 'token-of-the-staff-in-tests'

const servers = await findRealServers()
const isHere = 'databaseUrl' in servers
if (!isHere) process.stderr.write(`Not run: the shop in two instances: ${servers.missing}.\n`)

describe.skipIf(!isHere)('two instances of the shop', async () => {
  if (!isHere) return
  const mailService = await startMailService()
  const environment = {
    DATABASE_URL: servers.databaseUrl,
    REDIS_URL: servers.redisUrl,
    SMTP_URL: mailService.url,
    STAFF_TOKEN: staffToken,
  }
  // Both start at the same moment, and both want to bring the empty database up to date.
  const processes = [1, 2].map(() => startShopProcess('dev/start.ts', environment, afterAll))
  let [a, b] = ['', '']
  let token = ''

  beforeAll(async () => {
    ;[a, b] = (await Promise.all(processes.map(({ listening }) => listening))) as [string, string]
  })

  afterAll(async () => {
    await servers.redis.del('user:1:profile', '{user:1:profile}:version')
  })

  /** Asks an instance, as Ada once she is signed in. */
  async function ask(url: string, method = 'GET', json?: unknown, bearer = token): Promise<unknown> {
    const headers = { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }) }
    const response = await fetch(url, { method, headers, ...(json !== undefined && { body: JSON.stringify(json) }) })
    return response.status === 204 || response.status === 202 ? undefined : await response.json()
  }

  test('both are ready, and say of what', async () => {
    const ready = { ready: true, parts: { database: 'up', mail: 'up', redis: 'up' } }
    expect(await ask(`${a}/health`)).toEqual(ready)
    expect(await ask(`${b}/health`)).toEqual(ready)
  })

  test('who registers with one signs in at the other, and is onboarded by both in turns', async () => {
    // Given a user of A, who signs in at B
    expect(await ask(`${a}/api/users`, 'POST', ada)).toMatchObject({ welcomed: true })
    token = ((await ask(`${b}/api/session`, 'POST', ada)) as { token: string }).token

    // When A mails a token, then B takes it
    await ask(`${a}/api/onboarding/start`, 'POST')
    const { message } = mailService.mails.at(-1)!
    const [, mailed] = /token=([\w-]{43})/.exec(message.replaceAll('=\r\n', '').replaceAll('=3D', '='))!
    expect(await ask(`${b}/api/onboarding/verify`, 'POST', { token: mailed })).toMatchObject({ state: 'verified' })
    await ask(`${a}/api/onboarding/profile`, 'POST', { firstName: 'Ada', lastName: 'Lovelace', bio: 'Analyst' })
    await ask(`${b}/api/onboarding/payment`, 'POST', { cardToken: 'tok_visa' })
    expect(await ask(`${a}/api/onboarding/activate`, 'POST')).toEqual({ state: 'active', step: 'complete' })
    expect(mailService.mails.map(({ to }) => to)).toEqual([[ada.email], [ada.email]])
  })

  test('a profile that A has put into the cache is another one after an update by B', async () => {
    // Given a profile that A has read, so that it is in Redis
    const path = '/api/users/1/profile'
    expect(await ask(`${a}${path}`)).toMatchObject({ profile: { bio: 'Analyst' } })
    expect(await servers.redis.get('user:1:profile')).toContain('Analyst')

    // When B changes it
    await ask(`${b}${path}`, 'PATCH', { bio: 'Enchantress of numbers' })

    // Then A has the new one
    expect(await ask(`${a}${path}`)).toMatchObject({ profile: { bio: 'Enchantress of numbers' } })
  })

  test('a notification that A is told to send arrives at curl, which listens at B', async () => {
    // Given curl on the event stream of B, connected
    const stream = `${b}/api/users/1/notifications`
    const curl = spawn('curl', ['-sN', '-H', `authorization: Bearer ${token}`, stream])
    let received = ''
    curl.stdout.setEncoding('utf8').on('data', (text: string) => (received += text))
    await once(curl.stdout, 'data')

    // When A is told
    const notification = { kind: 'order_sent', text: 'Your order is on its way' }
    await ask(`${a}/internal/notifications`, 'POST', { userIds: [1], notification }, staffToken)

    // Then curl has it
    const event = `event: new_notification\ndata: ${JSON.stringify({ notification })}\n\n`
    await expect.poll(() => received, { timeout: 10_000 }).toContain(event)
    curl.kill()
  })

  test('an instance stops, and the other one goes on', async () => {
    // When A is asked to stop
    processes[0]!.kill('SIGTERM')

    // Then it ends well, and B knows Ada still
    expect(await processes[0]!.ended).toBe(0)
    expect(await ask(`${b}/api/session`)).toEqual({ user: { id: 1, email: ada.email } })
    expect(processes.map((one) => one.printed()).join('')).not.toContain('"level":"error"')
  })
})
