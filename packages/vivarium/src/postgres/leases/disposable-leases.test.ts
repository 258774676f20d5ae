import { describe, expect, test } from 'vitest'
import { describeIfFound, externalPostgresUrl } from '../../../test/support/require.ts'
import { useLeaseBench } from '../../../test/support/lease-bench.ts'
import { runFixture } from '../../../test/support/run-fixture.ts'
import { connectTestServer, startScratchServer } from '../../../test/support/template-servers.ts'
import { openPostgresClient } from '../connection/client.ts'
import type { PostgresServer } from '../server/postgres-server.ts'
import { lockKey } from '../template/advisory-lock.ts'
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

  test('a release does not wait for the drop, the pool’s close does, and whoever is connected is disconnected', () =>
    bench.withRun(async (run) => {
      const pool = await openLeasePool(run.identity, { ...lasting, warmClones: 0 })
      const lease = await pool.acquire(disposable)
      await using client = await openPostgresClient(lease.target)
      // Nobody can change the database as long as this is held.
      await using holder = await openPostgresClient(run.identity.maintenance)
      await holder.query(`SELECT pg_advisory_lock(${lockKey('clone change', lease.database)})`)
      await lease.release()
      const closing = pool.close()
      expect(await bench.clonesOf(run)).toEqual([lease.database])
      await holder.close()
      await closing
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

  test('what the server still does for a process that has died is waited for before its name is used', () =>
    bench.withRun(async (run) => {
      await using pool = await openLeasePool(run.identity, lasting)
      await using dying = await openPostgresClient(run.identity.maintenance)
      await dying.query(`SELECT pg_advisory_lock(${lockKey('clone change', `${clonePrefix(run.identity)}1`)})`)
      await expect(pool.acquire({ ...disposable, deadlineMs: 100 })).rejects.toMatchObject({
        code: 'LEASE_WAIT_TIMEOUT',
      })
      await dying.close()
      expect(await insert(await pool.acquire(disposable))).toBe(1)
    }))

  test('what a pool kept ready serves the next process, for the same use as long as there is anything else', () =>
    bench.withRun(
      async (run) => {
        await run.ready
        const [reusable] = await bench.clonesOf(run)
        const first = await openLeasePool(run.identity, lasting)
        const lease = await first.acquire(disposable)
        const [ready] = await unusedOf(run, 1)
        await lease.release()
        await first.close()
        expect(new Set(await bench.clonesOf(run))).toEqual(new Set([reusable, ready]))
        await using second = await openLeasePool(run.identity, lasting)
        expect(await second.acquire()).toMatchObject({ database: reusable, fresh: false })
        expect(await second.acquire(disposable)).toMatchObject({ database: ready, fresh: true })
      },
      { clones: 1 },
    ))

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

    test('are made ahead, and never of an older version', () =>
      bench.withRun(async (run) => {
        await using pool = await openLeasePool(run.identity, { ...lasting, warmClones: 1 })
        const parent = await pool.acquire(disposable)
        await unusedOf(run, 1)
        await insert(parent, 'one')
        const others = new Set(await bench.clonesOf(run))
        const ahead = async (): Promise<string[]> => (await bench.clonesOf(run)).filter((name) => !others.has(name))
        const source = { lease: parent, version: 1, isQuiet: () => true }
        const take = async (version: number): Promise<Lease> => {
          const lease = await pool.acquire({ source: { ...source, version } })
          others.add(lease.database)
          return lease
        }
        await take(1)
        await expect.poll(ahead, { timeout: 10_000, interval: 10 }).toHaveLength(1)
        const [ready] = await ahead()
        expect((await take(1)).database).toBe(ready)
        await expect.poll(ahead, { timeout: 10_000, interval: 10 }).toHaveLength(1)
        const [stale] = await ahead()
        await insert(parent, 'two')
        expect(await names(await take(2))).toEqual(['one', 'two'])
        await expect.poll(ahead, { timeout: 10_000, interval: 10 }).not.toContain(stale)
      }))

    test('are not made ahead unless the caller says that it is quiet', () =>
      bench.withRun(async (run) => {
        const pool = await openLeasePool(run.identity, { ...lasting, warmClones: 1 })
        const parent = await pool.acquire(disposable)
        const [unused] = await unusedOf(run, 1)
        const copies = [
          await pool.acquire({ source: { lease: parent, version: 1, isQuiet: () => false } }),
          await pool.acquire({ source: { lease: parent, version: 2 } }),
        ]
        // What was begun meanwhile is ended by then.
        await pool.close()
        const known = [parent.database, unused ?? '', ...copies.map((lease) => lease.database)]
        expect((await bench.clonesOf(run)).toSorted()).toEqual(known.toSorted())
      }))

    test('may be asked for while the server has not yet let go of a connection that was closed', () =>
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
        await expect.poll(() => bench.clonesOf(run), { timeout: 10_000, interval: 10 }).toEqual([unused])
        await pool.close()
      }))
  })
}
