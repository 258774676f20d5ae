// `npm run shop` as a newcomer sees it: nothing is installed or running, and nothing is left behind.
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { eventually } from 'vivarium'
import { startShopProcess } from '../support/shop-process.ts'

const slow = { timeout: 60_000 }
const awaited = { within: 20_000 }
const ada = { email: 'ada@example.com', password: 'correct horse battery' }

interface RunningProcess {
  readonly pid: number
  readonly parent: number
  readonly command: string
}

function listProcesses(): RunningProcess[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' }).trim().split('\n')
  return lines.map((line) => {
    const [pid, parent, ...command] = line.trim().split(/\s+/)
    return { pid: Number(pid), parent: Number(parent), command: command.join(' ') }
  })
}

/** The PostgreSQL that a process has started. */
function postgresOf(parent: number): number {
  const found = listProcesses().find((one) => one.parent === parent && one.command.includes('postgres'))
  if (!found) throw new Error(`The process ${parent} has started no PostgreSQL.`)
  return found.pid
}

function runs(pid: number): boolean {
  return listProcesses().some((one) => one.pid === pid && !one.command.includes('<defunct>'))
}

/** A request with a body of JSON; the answer's own JSON. */
async function ask<Answer>(url: string, json: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(json),
  })
  return (await response.json()) as Answer
}

test('it has products, a user, a database and a mail service; Ctrl-C ends all of it', slow, async () => {
  // Given the shop, started with nothing in its environment
  const shop = startShopProcess('dev/start.ts', {})
  const url = await shop.listening

  // When the user who is there orders, and another one registers
  const { token } = await ask<{ token: string }>(`${url}/api/session`, ada)
  const order = { items: [{ productId: 1, quantity: 2 }] }
  const ordered = await ask(`${url}/api/orders`, order, { authorization: `Bearer ${token}` })
  await ask(`${url}/api/users`, { email: 'grace@example.com', password: 'correct horse battery' })

  // Then the order is paid, with nobody's money, and the mail can be read
  expect(ordered).toMatchObject({ order: { status: 'paid', totalCents: 10_000 } })
  expect(await (await fetch(`${url}/dev/charges`)).json()).toMatchObject([{ amountCents: 10_000, refunded: false }])
  expect(await (await fetch(`${url}/dev/mails`)).text()).toMatch(/Welcome to the shop[^]*Hello grace@example\.com/)
  expect(await (await fetch(`${url}/health`)).json()).toEqual({ ready: true, parts: { database: 'up', mail: 'up' } })

  // And Ctrl-C ends it, and its PostgreSQL
  const postgres = postgresOf(shop.pid)
  shop.kill('SIGINT')
  expect(await shop.ended).toBe(0)
  expect(runs(postgres)).toBe(false)
})

test('what a shop that was killed has left, the next one sweeps away', slow, async () => {
  // Given a shop that had no time to clean up
  const killed = startShopProcess('dev/start.ts', {})
  await killed.listening
  const orphan = postgresOf(killed.pid)
  killed.kill('SIGKILL')
  expect(await killed.ended).toBe('SIGKILL')

  // When the next one starts
  const next = startShopProcess('dev/start.ts', {})
  await next.listening

  // Then that one's PostgreSQL is gone, unless something else of Vivarium's on this machine has swept it away before
  await eventually(() => !runs(orphan), awaited)
  next.kill('SIGTERM')
  expect(await next.ended).toBe(0)
})

test('a variable that is wrong ends it before anything is started, with its name', slow, async () => {
  const shop = startShopProcess('dev/start.ts', { REDIS_URL: 'localhost' })
  expect(await shop.ended).toBe(78)
  expect(shop.printed()).toContain('REDIS_URL is not a URL like redis://host:6379')
})
