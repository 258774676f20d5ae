import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PlainDatabases } from '../support/plain-database.ts'
import { migrations, startPlainServer } from '../support/plain-server.ts'
import { inSandbox, useVivarium } from '../support/vivarium.ts'
import { connect, errorOf, rowsOf, run, sync, type WireConnection } from '../support/wire.ts'

const vivarium = useVivarium()
const page = readFileSync(
  fileURLToPath(new URL('../../../../docs/decisions/060-what-one-session-cannot-give.md', import.meta.url)),
  'utf8',
)

/** A text's first SQLSTATE that is an error, else its last row. */
async function outcome(connection: WireConnection, text: string): Promise<unknown> {
  const answers = await connection.query(text)
  return errorOf(answers)?.['C'] ?? rowsOf(answers).at(-1)
}

describe('one session on a plain server', () => {
  let server: Awaited<ReturnType<typeof startPlainServer>>
  let databases: PlainDatabases
  beforeAll(async () => {
    server = await startPlainServer()
    databases = await PlainDatabases.open(server, migrations)
  })
  afterAll(async () => {
    await databases?.close()
    await server?.[Symbol.asyncDispose]()
  })

  test.each([
    ['begin; select 1; savepoint a; set transaction isolation level serializable', '25001'],
    ['select pg_try_advisory_lock(1), pg_try_advisory_lock(1)', ['t', 't']],
    [
      'begin; select id from parents where id = 1 for update; select id from parents where id = 1 for update skip locked',
      ['1'],
    ],
    ['begin; create temp table seen as select now() as at; savepoint a; release a; select at = now() from seen', ['t']],
    ['begin; vacuum', '25001'],
    ['begin; do $$ begin commit; end $$', '2D000'],
    [`begin; alter type mood add value 'x'; select 'x'::mood`, '55P04'],
    ['create temp table t (); create temp table t ()', '42P07'],
    ['prepare p as select 1; prepare p as select 2', '42P05'],
    [`select set_config('my.' || 'own', 'x', false); select count(*) from pg_settings where name = 'my.own'`, ['0']],
  ])('cannot: %s', async (text, expected) => {
    const database = await databases.create()
    const connection = await connect(database.target)
    expect(await outcome(connection, text)).toEqual(expected)
    await connection.end()
    await database.drop()
  })
})

describe('a sandbox says so', () => {
  test.each([
    ['transaction-isolation', 'begin isolation level serializable; rollback'],
    ['transaction-read-only', 'select 1; set transaction read only'],
    ['advisory-lock', 'select pg_try_advisory_lock(1)'],
    ['row-lock', 'select id from parents for update nowait'],
    ['listen-delivery', 'listen changes'],
    ['listen-delivery', `select pg_notify('changes', 'x')`],
    ['terminate-backend', 'select pg_cancel_backend(pid) from pg_stat_activity where false'],
    ['session-timeout', `set idle_in_transaction_session_timeout = '1s'`],
    ['prepared-statement-names', 'select * from pg_prepared_statements'],
    ['computed-setting', `select set_config('my.' || 'own', 'x', false)`],
  ])('%s: %s', async (kind, text) => {
    await inSandbox(vivarium, async (connection, sandbox) => {
      expect(errorOf(await connection.query(text))).toBeUndefined()
      expect(sandbox.fidelityWarnings.map((warning) => warning.kind)).toEqual([kind])
    })
  })

  test.each([
    ['0A000', `begin; prepare transaction 'x'`],
    ['25001', 'vacuum parents'],
    ['25001', 'create index concurrently i on parents (name)'],
    ['2D000', 'do $$ begin commit; end $$'],
    ['55P04', `alter type mood add value 'x'; select 'x'::mood`],
  ])('%s with the remedy: %s', async (code, text) => {
    await inSandbox(vivarium, async (connection) => {
      const error = errorOf(await connection.query(text))
      expect(error?.['C']).toBe(code)
      expect(error?.['H']).toMatch(/database/)
      await connection.query('rollback')
    })
  })
})

test('a text that standard_conforming_strings off makes unreadable is refused with the remedy, any other runs', async () => {
  await inSandbox(vivarium, async (connection) => {
    const text = `select 'it\\'s; commit; --'`
    await connection.query('insert into parents values (3); set standard_conforming_strings = off')
    expect(errorOf(await connection.query(text))).toMatchObject({ C: '0A000', H: expect.stringContaining(`E'`) })
    connection.send(run(text), sync())
    expect(errorOf(await connection.until('Z'))?.['C']).toBe('0A000')
    expect(await outcome(connection, `select 'it''s', 'a\\\\b'`)).toEqual([`it's`, 'a\\b'])
    await connection.query('set standard_conforming_strings = on')
    expect(await outcome(connection, `select 'a\\', 'b'`)).toEqual(['a\\', 'b'])
  })
})

test('the page names every kind of warning that the gateway has', () => {
  const folder = fileURLToPath(new URL('../../src/postgres/gateway', import.meta.url))
  const sources = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  const kinds = sources.flatMap((name) =>
    [...readFileSync(`${folder}/${name}`, 'utf8').matchAll(/\bkind: '([a-z]+-[a-z-]+)',\n\s*message/g)].map(
      ([, kind]) => kind,
    ),
  )
  // What a connection of isolation 'database' has to say is no matter of one session.
  const here = [...new Set(kinds)].filter((kind) => kind !== 'session-not-restored')
  expect(here.length).toBeGreaterThan(9)
  expect(here.filter((kind) => !page.includes(`\`${kind}\``))).toEqual([])
})
