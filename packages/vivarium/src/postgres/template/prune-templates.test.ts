import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { describeIfFound, externalPostgresUrl } from '../../../test/support/require.ts'
import {
  connectTestServer,
  dropTemplate,
  listDatabases,
  runOn,
  startScratchServer,
} from '../../../test/support/template-servers.ts'
import { openPostgresClient } from '../connection/client.ts'
import { openRun } from '../leases/open-run.ts'
import type { PostgresServer } from '../server/postgres-server.ts'
import { lockKey } from './advisory-lock.ts'
import { buildTemplate } from './build-template.ts'
import type { Template } from './build-template.ts'
import { pruneTemplates, useTemplate } from './prune-templates.ts'
import { parseTemplateNote } from './template-note.ts'

const day = 86_400_000
const daysAgo = (days: number): string => new Date(Date.now() - days * day).toISOString().slice(0, 10)

const noMigrations = { run: () => undefined, inputs: [] }

function build(server: PostgresServer, hash = randomBytes(16).toString('hex')): Promise<Template> {
  return buildTemplate(server, noMigrations, { hash, env: 'DATABASE_URL' })
}

async function commentOf(server: PostgresServer, name: string): Promise<string | null | undefined> {
  const rows = await runOn(
    server,
    `SELECT shobj_description(oid, 'pg_database') AS comment FROM pg_database WHERE datname = '${name}'`,
  )
  return rows[0]?.['comment']
}

async function expectUsedToday(server: PostgresServer, name: string): Promise<void> {
  const note = parseTemplateNote(await commentOf(server, name))
  // The day may have changed since it was noted.
  expect([daysAgo(0), daysAgo(1)]).toContain(note?.usedOn)
}

describe('pruning', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startScratchServer()
  })
  afterEach(async () => {
    for (const name of await listDatabases(server, 'vivarium_')) await dropTemplate(server, name)
  })
  afterAll(() => server.close())

  const nobodyCancels = (): boolean => false

  /** A template of the maintenance role, as on an external server, whose comment says this. */
  async function put(comment: string | null): Promise<string> {
    const name = `vivarium_template_${randomBytes(16).toString('hex')}`
    await runOn(server, `CREATE DATABASE "${name}" IS_TEMPLATE true ALLOW_CONNECTIONS false`)
    if (comment !== null) await runOn(server, `COMMENT ON DATABASE "${name}" IS '${comment}'`)
    return name
  }

  const usedOn = (date: string): string => JSON.stringify({ sequences: [], usedOn: date })

  async function prune(): Promise<string[]> {
    await using client = await openPostgresClient(server.maintenance)
    return await pruneTemplates(client, nobodyCancels)
  }

  test('drops what nobody has used for more than two weeks, and nothing younger', async () => {
    const old = await put(usedOn(daysAgo(16)))
    const young = await put(usedOn(daysAgo(13)))
    expect(await prune()).toEqual([old])
    expect(await listDatabases(server, 'vivarium_template_')).toEqual([young])
  })

  test('one without a date gets today’s; one whose comment is not ours is not touched', async () => {
    const undated = await put('{"sequences":[]}')
    const comments = ['a comment of somebody', '{"usedOn":"2001-01-01"}', null]
    const strangers = await Promise.all(comments.map((comment) => put(comment)))
    expect(await prune()).toEqual([])
    await expectUsedToday(server, undated)
    expect(await Promise.all(strangers.map((name) => commentOf(server, name)))).toEqual(comments)
  })

  test('one of another role, of another name, or that no longer is a name of ours is left', async () => {
    const others = await put(usedOn('2001-01-01'))
    await runOn(server, `ALTER DATABASE "${others}" OWNER TO vivarium`)
    const named = 'vivarium_template_of_somebody'
    await runOn(server, `CREATE DATABASE "${named}"`)
    await runOn(server, `COMMENT ON DATABASE "${named}" IS '${usedOn('2001-01-01')}'`)
    expect(await prune()).toEqual([])
    expect((await listDatabases(server, 'vivarium_template_')).toSorted((a, b) => a.localeCompare(b))).toEqual(
      [others, named].toSorted((a, b) => a.localeCompare(b)),
    )
  })

  test('one in use is left, also when its user logged in to another maintenance database', async () => {
    const old = await put(usedOn('2001-01-01'))
    for (const database of [server.maintenance.database, 'template1']) {
      const user = await openPostgresClient({ ...server.maintenance, database })
      await useTemplate(user, old)
      expect(await prune()).toEqual([])
      await user.close()
    }
    expect(await prune()).toEqual([old])
  })

  test('one that somebody is copying stays a template', async () => {
    const old = await put(usedOn('2001-01-01'))
    await runOn(server, `ALTER DATABASE "${old}" ALLOW_CONNECTIONS true`)
    await using inside = await openPostgresClient({ ...server.maintenance, database: old })
    await using client = await openPostgresClient(server.maintenance)
    expect(await pruneTemplates(client, nobodyCancels)).toEqual([])
    expect(await inside.query(`SELECT datistemplate FROM pg_database WHERE datname = '${old}'`)).toEqual([
      { datistemplate: 't' },
    ])
  })

  test('a run holds its template for as long as it is open', async () => {
    const template = await build(server)
    const run = await openRun(server, template)
    const isUsed = (): Promise<unknown> =>
      runOn(server, `SELECT pg_try_advisory_lock(${lockKey('template use', template.database)}) AS free`)
    expect(await isUsed()).toEqual([{ free: 'f' }])
    await run.close()
    expect(await isUsed()).toEqual([{ free: 't' }])
  })
})

describeIfFound('external-postgres', await externalPostgresUrl(), 'on an external server', (url) => {
  test('each run notes the day, and prunes when it starts', async () => {
    await using server = await connectTestServer(url)
    const [used, old] = [await build(server), await build(server)]
    try {
      for (const { database } of [used, old]) {
        await expectUsedToday(server, database)
        await runOn(server, `COMMENT ON DATABASE "${database}" IS '{"sequences":[],"usedOn":"2001-01-01"}'`)
      }
      const run = await openRun(server, await build(server, used.hash))
      await run.ready
      expect(await listDatabases(server, old.database)).toEqual([])
      await expectUsedToday(server, used.database)
      await run.close()
    } finally {
      for (const { database } of [used, old]) await dropTemplate(server, database)
    }
  })
})
