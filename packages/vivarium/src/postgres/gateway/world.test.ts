import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { PlainDatabases } from '../../../test/support/plain-database.ts'
import type { PlainDatabase, PlainServer } from '../../../test/support/plain-database.ts'
import { migrations, startPlainServer } from '../../../test/support/plain-server.ts'
import { connect, rowsOf } from '../../../test/support/wire.ts'
import { Recorder } from '../../core/interactions.ts'
import { ConnectionBudget } from '../connection/connection-budget.ts'
import type { Lease } from '../leases/lease.ts'
import { openWorld } from './open-world.ts'
import { noSettings } from './settings.ts'
import type { World } from './world.ts'

let server: PlainServer & AsyncDisposable
let databases: PlainDatabases
let database: PlainDatabase
let world: World
const recorder = new Recorder()

beforeAll(async () => {
  server = await startPlainServer()
  databases = await PlainDatabases.open(server, migrations)
})
beforeEach(async () => {
  database = await databases.create()
  world = (await openWorld(leaseOf(database), { waitMs: 1000, budget: new ConnectionBudget(1) })).world
  await world.openLevel('a test', recorder)
  return async () => {
    await world.session.close()
    await database.drop()
  }
})
afterAll(async () => {
  await databases?.close()
  await server?.[Symbol.asyncDispose]()
})

function leaseOf({ target }: PlainDatabase): Lease {
  return {
    database: target.database,
    target: { ...target, parameters: {} },
    fresh: true,
    resetSequences: 'SELECT 1',
    lost: new Promise(() => undefined),
    release: () => Promise.resolve(),
  }
}

/** Begins a unit, as the first statement of an application does. */
function beginUnit(): void {
  world.prepareUnit(noSettings, true)
  world.session.sync({})
}

async function parents(): Promise<unknown[]> {
  const connection = await connect(database.target)
  const rows = rowsOf(await connection.query('select id from parents where id > 2'))
  await connection.end()
  return rows
}

test('should the sandbox’s transaction ever be lost, a stray write is refused instead of committed', async () => {
  beginUnit()
  await world.session.query('insert into parents values (3)')
  // What no client can do: this goes past the gateway's translation.
  await world.session.query('rollback')
  await expect(world.session.query('insert into parents values (4)')).rejects.toMatchObject({ code: '25006' })
  await expect(world.session.query('reset all; insert into parents values (5)')).rejects.toMatchObject({
    code: '25006',
  })
  expect(await parents()).toEqual([])
})

test('a commit that really happened breaks the world: its sandbox fails, its session is gone, and whoever uses it is told', () => {
  const reasons: Error[] = []
  world.onBroken = (reason) => reasons.push(reason)
  beginUnit()
  world.committedForReal('commit')
  world.committedForReal('commit')
  expect(reasons).toEqual([expect.objectContaining({ code: 'COMMITTED_FOR_REAL' })])
  expect(recorder.failures).toEqual([expect.objectContaining({ code: 'COMMITTED_FOR_REAL' })])
  expect(world.broken).toBe(reasons[0])
  expect(world.session.lost).toBe(reasons[0])
})

test('a session that is not where a close should leave it is given up, not used again', async () => {
  beginUnit()
  await world.session.query('rollback')
  const broken = new Promise<Error>((resolve) => (world.onBroken = resolve))
  world.closeLevel()
  await expect(broken).resolves.toBeInstanceOf(Error)
  expect(world.broken).toBeInstanceOf(Error)
})

test('a query of ours that the server does not answer in time ends the session, and says what was not answered', async () => {
  const lost = new Promise<Error>((resolve) => (world.onBroken = resolve))
  await expect(world.session.query('select pg_sleep(30)', 50)).rejects.toThrow(
    `the server did not answer the gateway's own "select pg_sleep(30)" within 50 ms`,
  )
  expect((await lost).message).toContain('select pg_sleep(30)')
})

test('a session that is still busy when its sandbox closes is waited for until a deadline', async () => {
  const busy = { activity: 'busy', mayNest: true, granted: () => undefined, expired: () => undefined } as const
  world.scheduler.request(busy)
  await expect(world.idle(50)).rejects.toThrow('the session was still busy after 50 ms')
  expect(world.scheduler.waiting).toEqual([])
  world.scheduler.release(busy)
  await world.idle(50)
})

test('a server that does not end a session is not waited for', async () => {
  const asked = world.session.query('select pg_sleep(30)').catch((error: unknown) => error)
  await world.session.close(20)
  expect(await asked).toBeInstanceOf(Error)
})
