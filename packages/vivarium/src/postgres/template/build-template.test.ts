import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { describeIfFound, externalPostgresUrl } from '../../../test/support/require.ts'
import { runFixture } from '../../../test/support/run-fixture.ts'
import { useTemplateBench } from '../../../test/support/template-bench.ts'
import { connectTestServer, listDatabases, runOn, startScratchServer } from '../../../test/support/template-servers.ts'
import { openPostgresClient } from '../connection/client.ts'
import type { PostgresServer } from '../server/postgres-server.ts'
import { lockKey } from './advisory-lock.ts'
import type { Template } from './build-template.ts'
import { newBuildingName } from './database-names.ts'
import { parseTemplateNote } from './template-note.ts'

const url = await externalPostgresUrl()

describe('on the embedded server', () => testTemplates(startScratchServer))
describeIfFound('external-postgres', url, 'on an external server', (found) => {
  testTemplates(() => connectTestServer(found))
})

function testTemplates(open: () => Promise<PostgresServer>): void {
  const bench = useTemplateBench(open)

  test('a folder becomes a closed, analysed template that a second call finds', async () => {
    await bench.put(
      '1_users.sql',
      '\uFEFFcreate table users (id serial primary key);\r\ninsert into users default values;\r\n',
    )
    await bench.put(
      '2_posts/migration.sql',
      'insert into users select from generate_series(1, 41); create table posts ()',
    )
    const template = await bench.build()
    expect(template).toEqual({ database: `vivarium_template_${bench.hash}`, hash: bench.hash, built: true })
    expect(await bench.build()).toEqual({ ...template, built: false })
    const [row] = await runOn(
      bench.server,
      `SELECT datistemplate, datallowconn, pg_get_userbyid(datdba) AS owner, shobj_description(oid, 'pg_database') AS note
         FROM pg_database WHERE datname = '${template.database}'`,
    )
    const owner = bench.server.application('x').user
    expect(row).toMatchObject({ datistemplate: 't', datallowconn: 'f', owner })
    expect(parseTemplateNote(row?.['note'])).toMatchObject({
      sequences: [{ schema: 'public', name: 'users_id_seq', lastValue: '42', isCalled: true }],
    })
    expect(await bench.look(template, "SELECT tableowner FROM pg_tables WHERE schemaname = 'public'")).toEqual([
      owner,
      owner,
    ])
    expect(await bench.look(template, "SELECT reltuples FROM pg_class WHERE relname = 'users'")).toEqual(['42'])
  })

  test('a template has what spares the first connection to a copy the reading of the catalogue', async () => {
    await bench.put('1.sql', 'create table a (id int primary key)')
    const { database } = await bench.build()
    const [row] = await runOn(
      bench.server,
      `SELECT (pg_stat_file('base/' || oid || '/pg_internal.init', true)).size > 0 AS found FROM pg_database WHERE datname = '${database}'`,
    )
    expect(row).toEqual({ found: 't' })
  })

  test('waiting for another builder has a deadline and says who builds', async () => {
    await bench.put('1.sql', 'create table a ()')
    const { maintenance } = bench.server
    const parameters = { application_name: 'the other builder' }
    await using other = await openPostgresClient({ ...maintenance, parameters })
    await other.query(`SELECT pg_advisory_lock(${lockKey('template', bench.hash)})`)
    await expect(bench.build(bench.folder, { waitMs: 100 })).rejects.toMatchObject({
      code: 'TEMPLATE_WAIT_TIMEOUT',
      seen: expect.stringContaining('the other builder') as string,
    })
  })

  test('what a dead builder left is dropped, what a live one builds stays', async () => {
    await bench.put('1.sql', 'create table a ()')
    const dead = newBuildingName(randomBytes(16).toString('hex'))
    const otherHash = randomBytes(16).toString('hex')
    const live = newBuildingName(otherHash)
    await runOn(bench.server, `CREATE DATABASE "${dead}" IS_TEMPLATE true`)
    await runOn(bench.server, `CREATE DATABASE "${live}"`)
    // On another database, as a Vivarium whose URL names another maintenance database.
    await using builder = await openPostgresClient({ ...bench.server.maintenance, database: live })
    await builder.query(`SELECT pg_advisory_lock(${lockKey('template', otherHash)})`)
    try {
      await bench.build({ run: () => undefined, inputs: [] })
      expect(await listDatabases(bench.server, dead)).toEqual([])
      expect(await listDatabases(bench.server, live)).toEqual([live])
    } finally {
      await builder.close()
      await runOn(bench.server, `DROP DATABASE IF EXISTS "${live}" WITH (FORCE)`)
    }
  })

  test('processes that ask at once get one template, built once', async () => {
    const count = bench.server.kind === 'embedded' ? 8 : 3
    await bench.put('in/1.sql', 'create table a (); select pg_sleep(0.1)')
    const marker = join(bench.folder, 'marker')
    const builders = Array.from({ length: count }, () =>
      runFixture('template-builder.ts', toUrl(bench.server), join(bench.folder, 'in/1.sql'), marker, bench.hash),
    )
    const ends = await Promise.all(builders.map((builder) => builder.ended))
    const templates = ends.map(({ output, errors }) => {
      if (output === '') throw new Error(errors)
      return JSON.parse(output) as Template
    })
    expect(templates.map(({ database }) => database)).toEqual(Array(count).fill(`vivarium_template_${bench.hash}`))
    expect(templates.filter(({ built }) => built)).toHaveLength(1)
    expect(await readFile(marker, 'utf8')).toBe('built\n')
  })

  test('a role that may not create databases gets a clear error', async () => {
    const role = `vivarium_test_${bench.hash.slice(0, 8)}`
    await runOn(bench.server, `CREATE ROLE "${role}" LOGIN PASSWORD 'x'`)
    const maintenance = { ...bench.server.maintenance, user: role, password: 'x' }
    const poor: PostgresServer = {
      ...bench.server,
      maintenance,
      application: (database) => ({ ...maintenance, database }),
    }
    try {
      await expect(bench.build({ run: () => undefined, inputs: [] }, {}, poor)).rejects.toMatchObject({
        code: 'DATABASE_NOT_CREATED',
        remedy: expect.stringContaining('CREATEDB') as string,
      })
    } finally {
      await runOn(bench.server, `DROP ROLE "${role}"`)
    }
  })
}

function toUrl(server: PostgresServer): string {
  const { host, port, user, password, database } = server.maintenance
  return `postgres://${user}${password === undefined ? '' : `:${password}`}@${host}:${port}/${database}`
}
