import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeIfFound, externalPostgresUrl } from '../../../test/support/require.ts'
import { runFixture } from '../../../test/support/run-fixture.ts'
import {
  connectTestServer,
  dropTemplate,
  listDatabases,
  runOn,
  startScratchServer,
} from '../../../test/support/template-servers.ts'
import { useExclusively } from '../../../test/support/use-exclusively.ts'
import { openPostgresClient } from '../connection/client.ts'
import type { PostgresServer } from '../server/postgres-server.ts'
import { lockKey } from '../template/advisory-lock.ts'
import { buildTemplate } from '../template/build-template.ts'
import type { Template } from '../template/build-template.ts'
import { clonePrefix, newRunId } from './clone-name.ts'
import { openLeasePool } from './lease-pool.ts'
import { openRun } from './open-run.ts'
import type { OpenRunOptions, Run } from './open-run.ts'

const url = await externalPostgresUrl()

describe('on the embedded server', () => testLeases(startScratchServer, 30, 'all'))
describeIfFound('external-postgres', url, 'on an external server', (found) => {
  testLeases(() => connectTestServer(found), 8, 'where servers differ')
})

function testLeases(open: () => Promise<PostgresServer>, atOnce: number, which: 'all' | 'where servers differ'): void {
  let server: PostgresServer
  let template: Template
  const role = `vivarium_test_${randomBytes(4).toString('hex')}`

  beforeAll(async () => {
    server = await open()
    await runOn(server, `CREATE ROLE "${role}"`)
    const run = async (database: string): Promise<void> => {
      await using client = await openPostgresClient(database)
      await client.query(
        `CREATE TABLE usage (users int, uses int); INSERT INTO usage VALUES (0, 0);
         CREATE TABLE items (id serial); INSERT INTO items DEFAULT VALUES; INSERT INTO items DEFAULT VALUES;
         CREATE SEQUENCE "Never used" START 7; CREATE SEQUENCE moved; SELECT setval('moved', 70, false);
         CREATE SCHEMA "other, schema";
         DO $$ BEGIN
           EXECUTE format('ALTER DATABASE %I SET search_path = "other, schema", public', current_database());
           EXECUTE format('ALTER DATABASE %I SET application_name = ''it''''s \\x''', current_database());
           EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
           EXECUTE format('GRANT CONNECT ON DATABASE %I TO ${role} WITH GRANT OPTION', current_database());
         END $$`,
      )
    }
    const hash = randomBytes(16).toString('hex')
    template = await buildTemplate(server, { run, inputs: [] }, { hash, env: 'DATABASE_URL' })
  })
  afterAll(async () => {
    // Absent when the set-up failed.
    const built = template as Template | undefined
    if (built !== undefined) await dropTemplate(server, built.database)
    await runOn(server, `DROP ROLE "${role}"`)
    await server.close()
  })

  async function withRun(body: (run: Run) => Promise<void>, options?: OpenRunOptions): Promise<void> {
    const run = await openRun(server, template, options)
    try {
      await body(run)
    } finally {
      await run.close()
    }
    expect(await clonesOf(run)).toEqual([])
  }

  function clonesOf(run: Run): Promise<string[]> {
    return listDatabases(server, clonePrefix(run.identity))
  }

  test('one pool: nobody shares a database, and there are no more than were used at once', () =>
    withRun(async (run) => {
      await using pool = await openLeasePool(JSON.parse(JSON.stringify(run.identity)) as typeof run.identity)
      const total = 10 * atOnce
      const names = await useExclusively(pool, atOnce, total)
      expect(names.length).toBeLessThanOrEqual(atOnce)
      expect((await clonesOf(run)).toSorted()).toEqual(names.toSorted())
      const uses = await Promise.all(names.map((name) => runOn(server, 'SELECT uses FROM usage', name)))
      expect(uses.reduce((sum, rows) => sum + Number(rows[0]?.['uses']), 0)).toBe(total)
    }))

  test('a clone that a killed process held is taken over, with its sequences to be reset', () =>
    withRun(async (run) => {
      const holder = runFixture('lease-holder.ts', JSON.stringify(run.identity), '1', '0')
      const database = await holder.nextLine()
      const target = { ...run.identity.application, database }
      const left = await openPostgresClient(target)
      await left.query(`SELECT nextval('public.items_id_seq'), nextval('public."Never used"'), nextval('public.moved')`)
      await left.query('BEGIN; LOCK usage')
      holder.process.kill('SIGKILL')
      await holder.ended
      await using pool = await openLeasePool(run.identity)
      const lease = await pool.acquire()
      expect(lease).toMatchObject({ database, fresh: false })
      await expect(left.closed).resolves.toMatchObject({ message: expect.stringContaining('57P01') as string })
      await using client = await openPostgresClient(lease.target)
      await client.query(lease.resetSequences)
      expect(
        await client.query(
          `SELECT nextval('items_id_seq') AS items, nextval('"Never used"') AS never, nextval('moved') AS moved`,
        ),
      ).toEqual([{ items: '3', never: '7', moved: '70' }])
    }))

  test('a copy goes through the log where checkpoints are durable, and from file to file where nothing is', () =>
    withRun(async (run) => {
      const [setting] = await runOn(server, 'SHOW fsync')
      const strategy = setting?.['fsync'] === 'on' ? 'WAL_LOG' : 'FILE_COPY'
      expect(run.identity.strategy).toBe(strategy)
      await using pool = await openLeasePool(run.identity)
      const lease = await pool.acquire()
      await using client = await openPostgresClient(lease.target)
      expect(await client.query('SELECT count(*) FROM usage')).toEqual([{ count: '1' }])
    }))

  test('a clone has the settings and privileges of the template, and its owner', () =>
    withRun(
      async (run) => {
        await run.ready
        await using pool = await openLeasePool(run.identity)
        const made = [await pool.acquire(), await pool.acquire()]
        for (const { database, target } of made) {
          await using client = await openPostgresClient(target)
          expect(await client.query('SHOW search_path')).toEqual([{ search_path: '"other, schema", public' }])
          expect(await client.query('SHOW application_name')).toEqual([{ application_name: "it's \\x" }])
          const [row] = await client.query(
            `SELECT pg_get_userbyid(d.datdba) AS owner, (SELECT array_agg(a ORDER BY a) FROM unnest(d.datacl::text[]) a) = (SELECT array_agg(a ORDER BY a) FROM unnest(t.datacl::text[]) a) AS same
             FROM pg_database d, pg_database t WHERE d.datname = '${database}' AND t.datname = '${template.database}'`,
          )
          expect(row).toEqual({ owner: server.application('x').user, same: 't' })
        }
      },
      { clones: 1 },
    ))

  test('the sweep drops what dead runs left, and nothing else', { timeout: 90_000 }, async () => {
    const deadRun = newRunId()
    const prefix = clonePrefix({ runId: deadRun, templateDatabase: template.database })
    const dead = `${prefix}1`
    const orphaned = `${prefix}2`
    const [other, x] = [`vivarium_other_${deadRun}`, `vivariumx${deadRun}`]
    const strangers = [x, other, `${prefix}x`, `${prefix}1_old`]
    const create = (name: string): Promise<unknown> =>
      runOn(server, `CREATE DATABASE "${name}" TEMPLATE "${template.database}"`)
    await create(other)
    // A worker that outlived its host still holds this one, before it is there: any run that starts now looks for dead ones.
    // Its maintenance database is another.
    await using worker = await openPostgresClient({ ...server.maintenance, database: other })
    await worker.query(`SELECT pg_advisory_lock(${lockKey('clone', orphaned)})`)
    for (const name of [dead, orphaned, ...strangers]) if (name !== other) await create(name)
    try {
      await withRun(
        async (alive) => {
          await alive.ready
          const before = await clonesOf(alive)
          expect(before).toHaveLength(2)
          await withRun(async (next) => {
            await next.ready
            expect(await listDatabases(server, prefix)).toEqual([strangers[3], orphaned, strangers[2]])
            expect(await clonesOf(alive)).toEqual(before)
            expect(await listDatabases(server, x)).toEqual([x])
            expect(await listDatabases(server, other)).toEqual([other])
            expect(await listDatabases(server, template.database)).toEqual([template.database])
          })
        },
        { clones: 2 },
      )
    } finally {
      await worker.close()
      for (const name of [dead, orphaned, ...strangers])
        await runOn(server, `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`)
    }
  })

  // A copy on a server with durable writes takes long.
  if (which === 'where servers differ') return

  test('three processes: nobody shares a database', () =>
    withRun(async (run) => {
      const identity = JSON.stringify(run.identity)
      const perProcess = Math.ceil(atOnce / 6)
      const holders = [1, 2, 3].map(() =>
        runFixture('lease-holder.ts', identity, String(perProcess), String(10 * perProcess)),
      )
      const ends = await Promise.all(holders.map((holder) => holder.ended))
      expect(ends.map(({ errors }) => errors)).toEqual(['', '', ''])
      const clones = await clonesOf(run)
      expect(clones.length).toBeLessThanOrEqual(3 * perProcess)
      const uses = await Promise.all(clones.map((name) => runOn(server, 'SELECT uses FROM usage', name)))
      expect(uses.reduce((sum, rows) => sum + Number(rows[0]?.['uses']), 0)).toBe(30 * perProcess)
    }))

  test('taking a name locks that one alone', () =>
    withRun(
      async (run) => {
        await run.ready
        await using pool = await openLeasePool(run.identity)
        const lease = await pool.acquire()
        const held = await runOn(
          server,
          `SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
          WHERE locktype = 'advisory' AND application_name = 'vivarium lease ${run.identity.runId}'`,
        )
        expect(held).toEqual([{ count: '1' }])
        expect(lease.fresh).toBe(false)
      },
      { clones: 4 },
    ))

  test('a released clone is handed out again in this process, and after close in another', () =>
    withRun(async (run) => {
      const first = await openLeasePool(run.identity)
      const lease = await first.acquire()
      expect(lease).toMatchObject({ fresh: true, target: { database: lease.database } })
      await lease.release()
      await lease.release()
      const again = await first.acquire()
      expect(again).toMatchObject({ database: lease.database, fresh: true })
      const other = await first.acquire()
      expect(other.database).not.toBe(lease.database)
      await first.close()
      await first.close()
      await expect(first.acquire()).rejects.toMatchObject({ code: 'VIVARIUM_CLOSED' })
      await using second = await openLeasePool(run.identity)
      expect(await second.acquire()).toMatchObject({ database: lease.database, fresh: false })
    }))

  test('a clone that was written to for real is dropped', () =>
    withRun(async (run) => {
      await using pool = await openLeasePool(run.identity)
      const lease = await pool.acquire()
      await runOn(server, 'CREATE TABLE left_over ()', lease.database)
      await lease.release({ drop: true })
      expect(await clonesOf(run)).toEqual([])
      const again = await pool.acquire()
      expect(again.fresh).toBe(true)
      expect(await runOn(server, "SELECT to_regclass('public.left_over') AS found", again.database)).toEqual([
        { found: null },
      ])
    }))

  test('a clone that grew out of proportion is made anew', () =>
    withRun(async (run) => {
      const first = await openLeasePool(run.identity)
      const { database } = await first.acquire()
      await runOn(server, 'CREATE TABLE grown ()', database)
      await first.close()
      // As if the template were tiny: 64 MB are not worth writing here.
      await using pool = await openLeasePool({ ...run.identity, templateBytes: -64 * 1024 * 1024 })
      expect(await pool.acquire()).toMatchObject({ database, fresh: true })
      expect(await runOn(server, "SELECT to_regclass('public.grown') AS found", database)).toEqual([{ found: null }])
    }))

  test('past the bound on databases a lease is waited for, then refused', () =>
    withRun(
      async (run) => {
        await using pool = await openLeasePool(run.identity)
        const [first] = [await pool.acquire(), await pool.acquire()]
        await expect(pool.acquire({ deadlineMs: 100 })).rejects.toMatchObject({
          code: 'LEASE_WAIT_TIMEOUT',
          seen: 'this process holds 2 of at most 2, 0 of them unused',
        })
        const waiting = pool.acquire()
        await first.release()
        expect((await waiting).database).toBe(first.database)
      },
      { maxClones: 2 },
    ))

  test('what a burst needed is left to other processes', () =>
    withRun(
      async (run) => {
        await using first = await openLeasePool(run.identity, { idleMs: 20 })
        await using second = await openLeasePool(run.identity)
        const leases = [await first.acquire(), await first.acquire()]
        for (const lease of leases) await lease.release()
        expect((await second.acquire()).fresh).toBe(false)
      },
      { maxClones: 2 },
    ))

  test('losing the lease connection is told to every lease, and the next one starts anew', () =>
    withRun(async (run) => {
      await using pool = await openLeasePool(run.identity)
      const leases = [await pool.acquire(), await pool.acquire()]
      await leases[1]!.release()
      await runOn(
        server,
        `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'vivarium lease ${run.identity.runId}'`,
      )
      expect(await leases[0]!.lost).toMatchObject({
        code: 'LEASE_LOST',
        seen: expect.stringContaining('57P01') as string,
      })
      await leases[0]!.release()
      await leases[0]!.release({ drop: true })
      expect(await pool.acquire()).toMatchObject({ database: leases[0]!.database, fresh: false })
    }))

  test('a run that has ended gives nothing more, and closes twice', () =>
    withRun(async (run) => {
      await using pool = await openLeasePool(run.identity)
      const lease = await pool.acquire()
      await using client = await openPostgresClient(lease.target)
      await Promise.all([run.close(), run.close()])
      await expect(client.closed).resolves.toBeInstanceOf(Error)
      await expect(pool.acquire()).rejects.toMatchObject({ code: 'RUN_ENDED' })
    }))

  test('a run whose host is gone gives no clone, not even one that is there', () =>
    withRun(
      async (run) => {
        await run.ready
        await using pool = await openLeasePool(run.identity)
        await runOn(
          server,
          `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'vivarium run ${run.identity.runId}'`,
        )
        expect(await run.lost).toMatchObject({ code: 'LEASE_LOST' })
        await expect(pool.acquire()).rejects.toMatchObject({ code: 'RUN_ENDED' })
      },
      { clones: 1 },
    ))

  test('closing a run at once, while it makes clones, leaves none', () =>
    withRun(async () => undefined, { clones: 20 }))

  test('a run that is closed at once has still swept what dead runs left', async () => {
    const dead = `${clonePrefix({ runId: newRunId(), templateDatabase: template.database })}1`
    await runOn(server, `CREATE DATABASE "${dead}" TEMPLATE "${template.database}"`)
    await withRun(async () => undefined, { clones: 4 })
    expect(await listDatabases(server, dead)).toEqual([])
  })

  test('a run over a template that is gone is refused', async () => {
    const missing = { ...template, database: `vivarium_template_${randomBytes(16).toString('hex')}` }
    await expect(openRun(server, missing)).rejects.toMatchObject({ code: 'TEMPLATE_UNUSABLE' })
  })
}
