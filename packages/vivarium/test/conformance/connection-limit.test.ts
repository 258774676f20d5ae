import { Client, Pool } from 'pg'
import { expect, test } from 'vitest'
import { openVivarium } from '../../src/index.ts'
import type { Sandbox, Vivarium } from '../../src/index.ts'

// Of eight, two are the host's, two hold locks and ask for login reports, one makes databases: three are for sandboxes.
const options = { postgres: { maxConnections: 8 } }

async function withVivarium(body: (vivarium: Vivarium) => Promise<void>): Promise<void> {
  const vivarium = await openVivarium(options)
  try {
    await body(vivarium)
  } finally {
    await vivarium.close()
  }
}

async function countRows(sandbox: Sandbox): Promise<number> {
  const client = new Client({ connectionString: sandbox.postgres.url })
  await client.connect()
  try {
    await client.query('CREATE TABLE IF NOT EXISTS seen (); TRUNCATE seen; INSERT INTO seen DEFAULT VALUES')
    const { rowCount } = await client.query('SELECT FROM seen')
    return rowCount ?? 0
  } finally {
    await client.end()
  }
}

async function countDatabases(vivarium: Vivarium): Promise<number> {
  const client = new Client({ connectionString: vivarium.postgres.serverUrl })
  await client.connect()
  try {
    const { rows } = await client.query<{ count: number }>(
      `SELECT count(*)::int FROM pg_database WHERE datname ~ '^vivarium_[0-9a-f]{8}_'`,
    )
    return rows[0]?.count ?? 0
  } finally {
    await client.end()
  }
}

test('many sandboxes at once stay within the bound on connections, and all get their turn', () =>
  withVivarium(async (vivarium) => {
    const watch = new Client({ connectionString: vivarium.postgres.serverUrl })
    await watch.connect()
    let most = 0
    const work = async (): Promise<void> => {
      const sandbox = await vivarium.openSandbox({ concurrent: true })
      expect(await countRows(sandbox)).toBe(1)
      const { rows } = await watch.query<{ count: number }>(
        `SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
      )
      most = Math.max(most, rows[0]?.count ?? 0)
      await sandbox.close()
    }
    await Promise.all(Array.from({ length: 20 }, work))
    await watch.end()
    expect(most).toBeGreaterThan(3)
    expect(most).toBeLessThanOrEqual(8)
  }))

test('past the bound a sandbox waits, then is refused with what to do; when one closes the next one opens', () =>
  withVivarium(async (vivarium) => {
    const open = (): Promise<Sandbox> => vivarium.openSandbox({ concurrent: true })
    const [first, ...others] = [await open(), await open(), await open()]
    for (const sandbox of [first, ...others]) await countRows(sandbox!)
    await expect(open()).rejects.toMatchObject({
      code: 'CONNECTION_LIMIT',
      seen: 'in use: 3 × the session of a sandbox',
    })
    const waiting = open()
    // It has a database already and waits for a connection when the other one closes.
    await expect.poll(() => countDatabases(vivarium)).toBe(4)
    for (const sandbox of others) await countRows(sandbox)
    await first?.close()
    const next = await waiting
    expect(await countRows(next)).toBe(1)
    for (const sandbox of [next, ...others]) await sandbox.close()
  }))

test('a pool of the application is no connection of the server in a transaction sandbox', () =>
  withVivarium(async (vivarium) => {
    const sandbox = await vivarium.openSandbox()
    const pool = new Pool({ connectionString: vivarium.postgres.url, max: 20 })
    const all = await Promise.all(Array.from({ length: 20 }, () => pool.query('SELECT 1 AS one')))
    expect(all).toHaveLength(20)
    await pool.end()
    await sandbox.close()
  }))

test('with databases of their own, past the bound a login waits, then is refused as a full server does', () =>
  withVivarium(async (vivarium) => {
    const sandbox = await vivarium.openSandbox({ isolation: 'database' })
    const connect = async (): Promise<Client> => {
      const client = new Client({ connectionString: vivarium.postgres.url })
      await client.connect()
      return client
    }
    const [first, ...others] = [await connect(), await connect(), await connect()]
    await expect(connect()).rejects.toMatchObject({
      code: '53300',
      detail: expect.stringContaining('in use: 3 × a connection of the sandbox'),
      hint: expect.stringContaining('postgres.maxConnections'),
    })
    const waiting = connect()
    await first?.end()
    const next = await waiting
    expect((await next.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    for (const client of [next, ...others]) await client.end()
    await sandbox.close()
  }))

test('what a file keeps open and does not use makes room for its tests', () =>
  withVivarium(async (vivarium) => {
    const twoAtOnce = (pool: Pool): Promise<unknown> =>
      Promise.all(Array.from({ length: 2 }, () => pool.query('SELECT 1 AS one')))
    const file = await vivarium.openSandbox({ isolation: 'database' })
    const ofTheFile = new Pool({ connectionString: file.postgres.url, max: 2 })
    await twoAtOnce(ofTheFile)
    const inner = await vivarium.openSandbox({ within: file })
    const ofTheTest = new Pool({ connectionString: inner.postgres.url, max: 2 })
    await twoAtOnce(ofTheTest)
    await ofTheTest.end()
    await inner.close()
    await twoAtOnce(ofTheFile)
    await ofTheFile.end()
    await file.close()
  }))
