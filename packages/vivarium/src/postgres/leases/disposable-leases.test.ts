import { describe, expect, test } from 'vitest'
import { describeIfFound, externalPostgresUrl } from '../../../test/support/require.ts'
import { useLeaseBench } from '../../../test/support/lease-bench.ts'
import { runFixture } from '../../../test/support/run-fixture.ts'
import { connectTestServer, startScratchServer } from '../../../test/support/template-servers.ts'
import { openPostgresClient } from '../connection/client.ts'
import type { PostgresServer } from '../server/postgres-server.ts'
import { openLeasePool } from './lease-pool.ts'
import type { Lease } from './lease.ts'
import { clonePrefix } from './clone-name.ts'
import type { Run } from './open-run.ts'

const url = await externalPostgresUrl()

describe('on the embedded server', () => testDisposable(startScratchServer))
describeIfFound('external-postgres', url, 'on an external server', (found) => {
  testDisposable(() => connectTestServer(found))
})

const disposable = { disposable: true } as const
/** A server with durable writes may take long for a copy: nothing goes for want of use meanwhile. */
const lasting = { idleMs: 60_000 } as const

function testDisposable(open: () => Promise<PostgresServer>): void {
  const bench = useLeaseBench(open, 'CREATE TABLE items (id serial, name text)')

  /** Commits a row and returns its id: 1 in a database that nobody has written to. */
  async function insert({ target }: Lease, name = 'x'): Promise<number> {
    await using client = await openPostgresClient(target)
    const rows = await client.query(`INSERT INTO items (name) VALUES ('${name}') RETURNING id`)
    return Number(rows[0]?.['id'])
  }

  async function names({ database }: Lease): Promise<(string | null | undefined)[]> {
    const rows = await bench.on(database, 'SELECT name FROM items ORDER BY id')
    return rows.map((row) => row['name'])
  }

  async function unusedOf(run: Run, count: number): Promise<string[]> {
    let found: string[] = []
    const find = async (): Promise<string[]> => {
      const rows = await bench.on(
        bench.server.maintenance.database,
        `SELECT datname FROM pg_database WHERE starts_with(datname, '${clonePrefix(run.identity)}')
            AND shobj_description(oid, 'pg_database') = 'Vivarium: a copy that nobody has used yet' ORDER BY 1`,
      )
      found = rows.map((row) => row['datname'] ?? '')
      return found
    }
    await expect.poll(find, { timeout: 10_000, interval: 10 }).toHaveLength(count)
    return found
  }

  test('what one of them committed, no other sees; none is used again', () =>
    bench.withRun(async (run) => {
      await using pool = await openLeasePool(run.identity, lasting)
      const use = async (): Promise<void> => {
        const lease = await pool.acquire(disposable)
        expect(lease.fresh).toBe(true)
        expect(await insert(lease)).toBe(1)
        await lease.release()
        await lease.release()
      }
      for (let round = 0; round < 3; round++) await Promise.all([use(), use(), use()])
      // Nor does a lease that is to be used again.
      expect(await insert(await pool.acquire())).toBe(1)
    }))

  test('a release does not wait for the drop, the pool’s close does, whoever is connected', () =>
    bench.withRun(async (run) => {
      const pool = await openLeasePool(run.identity, { ...lasting, warmClones: 0 })
      const lease = await pool.acquire(disposable)
      await using client = await openPostgresClient(lease.target)
      await lease.release()
      // Dropping ends the connection first.
      expect(await client.query('SELECT 1 AS one').catch(() => 'ended')).toBeDefined()
      await pool.close()
      expect(await bench.clonesOf(run)).toEqual([])
      expect(await client.closed).toBeInstanceOf(Error)
    }))

  test('the next one is ready before it is asked for, and a lease of the other kind leaves it alone', () =>
    bench.withRun(async (run) => {
      await using pool = await openLeasePool(run.identity, lasting)
      await pool.acquire(disposable)
      const [ready] = await unusedOf(run, 1)
      expect((await pool.acquire()).database).not.toBe(ready)
      expect((await pool.acquire(disposable)).database).toBe(ready)
    }))

  test('at the bound each kind takes what the other keeps', () =>
    bench.withRun(
      async (run) => {
        await using pool = await openLeasePool(run.identity, lasting)
        const first = await pool.acquire(disposable)
        const [ready] = await unusedOf(run, 1)
        const held = [await pool.acquire(), await pool.acquire()]
        const given = await pool.acquire()
        expect(given).toMatchObject({ database: ready, fresh: true })
        await given.release()
        const taken = await pool.acquire(disposable)
        expect(taken).toMatchObject({ database: ready, fresh: true })
        await expect(pool.acquire({ ...disposable, deadlineMs: 50 })).rejects.toMatchObject({
          code: 'LEASE_WAIT_TIMEOUT',
        })
        // What a lease was released to is dropped before its name is free.
        await first.release()
        expect(await insert(await pool.acquire(disposable))).toBe(1)
        expect(held).toHaveLength(2)
      },
      { maxClones: 4 },
    ))

  test('what a killed process committed is never handed out, whatever the lease is for', () =>
    bench.withRun(async (run) => {
      const holder = runFixture('lease-holder.ts', JSON.stringify(run.identity), '2', '0', 'disposable')
      const databases = (await holder.nextLine()).split(' ')
      for (const database of databases) await bench.on(database, `INSERT INTO items (name) VALUES ('left')`)
      holder.process.kill('SIGKILL')
      await holder.ended
      await using pool = await openLeasePool({ ...run.identity, maxClones: 4 })
      const leases = [await pool.acquire(), await pool.acquire(disposable)]
      // All four names, those of the dead one among them.
      while (leases.length < 4) leases.push(await pool.acquire(leases.length % 2 === 0 ? disposable : {}))
      expect(leases.map((lease) => lease.database)).toEqual(expect.arrayContaining(databases))
      for (const lease of leases) expect(await names(lease)).toEqual([])
    }))

  test('what a pool kept ready serves the next process', () =>
    bench.withRun(async (run) => {
      const first = await openLeasePool(run.identity, lasting)
      const lease = await first.acquire(disposable)
      const [ready] = await unusedOf(run, 1)
      await lease.release()
      await first.close()
      expect(await bench.clonesOf(run)).toEqual([ready])
      await using second = await openLeasePool(run.identity, lasting)
      expect(await second.acquire(disposable)).toMatchObject({ database: ready, fresh: true })
    }))

  test('nothing is kept ready for long without use', () =>
    bench.withRun(async (run) => {
      await using pool = await openLeasePool(run.identity, { idleMs: 30 })
      const lease = await pool.acquire(disposable)
      await lease.release()
      await expect.poll(() => bench.clonesOf(run), { timeout: 10_000, interval: 10 }).toEqual([])
    }))

  describe('copies of another database than the template', () => {
    test('hold what was committed there, and are each one’s own', () =>
      bench.withRun(async (run) => {
        await using pool = await openLeasePool(run.identity, lasting)
        const parent = await pool.acquire(disposable)
        await insert(parent, 'of the file')
        const source = { lease: parent, version: 1 }
        const children = await Promise.all([pool.acquire({ source }), pool.acquire({ source })])
        for (const child of children) {
          expect(child.fresh).toBe(true)
          expect(await insert(child, 'of the test')).toBe(2)
          expect(await names(child)).toEqual(['of the file', 'of the test'])
        }
        expect(await names(parent)).toEqual(['of the file'])
      }))

    test('are made ahead only while the caller says that it is quiet, and never of an older version', () =>
      bench.withRun(async (run) => {
        await using pool = await openLeasePool(run.identity, lasting)
        const parent = await pool.acquire(disposable)
        await unusedOf(run, 1)
        await insert(parent, 'one')
        const before = await bench.clonesOf(run)
        let isQuiet = true
        const source = { lease: parent, version: 1, isQuiet: () => isQuiet }
        const first = await pool.acquire({ source })
        const others = new Set([...before, first.database])
        const ahead = async (): Promise<string[]> => (await bench.clonesOf(run)).filter((name) => !others.has(name))
        await expect.poll(ahead, { timeout: 10_000, interval: 10 }).toHaveLength(1)
        const [ready] = await ahead()
        isQuiet = false
        expect((await pool.acquire({ source })).database).toBe(ready)
        others.add(ready ?? '')
        await insert(parent, 'two')
        const later = await pool.acquire({ source: { ...source, version: 2 } })
        expect(await names(later)).toEqual(['one', 'two'])
        others.add(later.database)
        expect(await ahead()).toEqual([])
      }))

    test('do not wait for the server to look again whether a connection that was just closed is gone', () =>
      bench.withRun(async (run) => {
        await using pool = await openLeasePool(run.identity, lasting)
        const parent = await pool.acquire(disposable)
        const client = await openPostgresClient(parent.target)
        await client.query(`INSERT INTO items (name) VALUES ('x')`)
        const copying = pool.acquire({ source: { lease: parent, version: 1 } })
        await client.close()
        expect(await names(await copying)).toEqual(['x'])
      }))

    test('what is ready goes with its source', () =>
      bench.withRun(async (run) => {
        const pool = await openLeasePool(run.identity, { ...lasting, warmClones: 1 })
        const parent = await pool.acquire(disposable)
        const child = await pool.acquire({ source: { lease: parent, version: 1, isQuiet: () => true } })
        await expect.poll(() => bench.clonesOf(run), { timeout: 10_000, interval: 10 }).toHaveLength(4)
        const [unused] = await unusedOf(run, 1)
        await child.release()
        await parent.release()
        await pool.close()
        expect(await bench.clonesOf(run)).toEqual([unused])
      }))
  })
}
