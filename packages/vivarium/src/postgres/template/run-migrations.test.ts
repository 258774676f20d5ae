import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { useTemplateBench } from '../../../test/support/template-bench.ts'
import { listDatabases, startScratchServer } from '../../../test/support/template-servers.ts'
import { openPostgresClient } from '../connection/client.ts'
import type { PostgresClient } from '../connection/client.ts'

describe('migrations on the embedded server', () => {
  const bench = useTemplateBench(startScratchServer)

  test('each file is one transaction and one session', async () => {
    await bench.put(
      '1.sql',
      'create table a (x xid8); insert into a values (pg_current_xact_id()), (pg_current_xact_id());',
    )
    await bench.put(
      '2.sql',
      "insert into a values (pg_current_xact_id()); set search_path = ''; create temp table t ();",
    )
    await bench.put('3.sql', 'insert into a values (pg_current_xact_id()); create temp table t ()')
    expect(await bench.look(await bench.build(), 'SELECT count(*) FROM a GROUP BY x ORDER BY 1')).toEqual([
      '1',
      '1',
      '2',
    ])
  })

  test('files that hold transactions of their own, or refuse one, run as they are', async () => {
    await bench.put('1.sql', 'begin; create table a (id serial); commit; insert into a default values;')
    await bench.put('2.sql', 'insert into a default values; create index concurrently on a (id); vacuum a;')
    // Only the server knows of these two: the build starts anew, and no sequence shows it.
    await bench.put('3.sql', 'insert into a default values; do $$ begin insert into a default values; commit; end $$')
    await bench.put(
      '4.sql',
      "create type e as enum ('x'); begin; commit; alter type e add value 'y'; create table b (e e default 'y')",
    )
    await bench.put('5.sql', "alter type e add value 'z'; insert into b values ('z'); insert into a default values")
    const template = await bench.build()
    expect(await bench.look(template, 'SELECT id FROM a ORDER BY 1')).toEqual(['1', '2', '3', '4', '5'])
    expect(await bench.look(template, 'SELECT count(*) FROM pg_indexes WHERE tablename = $$a$$')).toEqual(['1'])
  })

  test('a failing file is shown with line, column and what the server said, and leaves nothing', async () => {
    await bench.put('1.sql', 'create table users (id int);')
    await bench.put('2.sql', "-- ä😀\ncreate table b ();\n\tinsert into users (emial) -- 😀\n  values ('x');")
    await expect(bench.build()).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      what: 'Migration 2.sql failed in line 3, column 21.',
      seen: expect.stringMatching(
        /ERROR 42703: column "emial"[^]*2\.sql:3:21\n {4}3 \| \tinsert into users[^]*\^/,
      ) as string,
    })
    expect(await listDatabases(bench.server, `vivarium_template_${bench.hash}`)).toEqual([])
    expect(await listDatabases(bench.server, `vivarium_building_${bench.hash}`)).toEqual([])
    await bench.put('2.sql', 'create table b ()')
    expect((await bench.build()).built).toBe(true)
  })

  test('an error without a position has the line of its statement, and detail, hint and context', async () => {
    await bench.put(
      '1.sql',
      'create table a (x int unique);\ninsert into a values (1);\n\n/* c */ insert into a\n values (1);',
    )
    await expect(bench.build()).rejects.toMatchObject({
      what: 'Migration 1.sql failed in line 4, column 9.',
      seen: expect.stringMatching(/23505[^]*Detail: Key \(x\)=\(1\) already exists/) as string,
    })
    await bench.put('1.sql', "do $$ begin\n raise exception 'no' using hint = 'yes'; end $$;")
    await expect(bench.build()).rejects.toThrow(
      /P0001: no\n {2}Hint: yes\n {2}Where: PL\/pgSQL function inline_code_block line 2/,
    )
    await bench.put(
      '1.sql',
      'create table c (id int unique deferrable initially deferred);\ninsert into c values (1), (1);\n',
    )
    await expect(bench.build()).rejects.toMatchObject({ what: 'Migration 1.sql failed in line 2, column 30.' })
  })

  test('the order of names is told where it may be the reason', async () => {
    await bench.put('10_b.sql', 'alter table a add b int')
    await bench.put('9_a.sql', 'create table a ()')
    await expect(bench.build()).rejects.toThrow(/10_b\.sql comes before 9_a\.sql/)
  })

  test('commands of psql and COPY from standard input are refused as such', async () => {
    await bench.put('1.sql', 'create table a (x int);\n\\connect other\nselect 1;')
    await expect(bench.build()).rejects.toMatchObject({
      code: 'MIGRATION_UNREADABLE',
      what: expect.stringMatching(/command of psql in line 2/) as string,
    })
    await bench.put('1.sql', "create table a (x text);\nCOPY public.a (x) FROM stdin;\nit's\n\\.\n")
    await expect(bench.build()).rejects.toMatchObject({
      code: 'MIGRATION_UNREADABLE',
      what: expect.stringMatching(/standard input in line 2/) as string,
    })
  })

  test('a transaction that a file leaves open is refused', async () => {
    await bench.put('1.sql', 'begin; create table a ();')
    await expect(bench.build()).rejects.toThrow(/1\.sql opens a transaction and does not end it/)
  })

  test('an extension that the server lacks is named, with the way to another server', async () => {
    await bench.put('1.sql', 'create table a ();\ncreate extension if not exists vivarium_no_such;')
    await expect(bench.build()).rejects.toMatchObject({
      code: 'EXTENSION_MISSING',
      what: expect.stringContaining('"vivarium_no_such"') as string,
      remedy: expect.stringContaining('VIVARIUM_POSTGRES_URL') as string,
    })
    const command = 'echo \'ERROR: extension "vivarium_no_such" is not available\'; exit 1'
    await expect(bench.build({ command, inputs: [] })).rejects.toMatchObject({ code: 'EXTENSION_MISSING' })
  })

  test('a file that hangs ends at its deadline, and what it does is shown', async () => {
    await bench.put('1.sql', 'create table a ()')
    await bench.put('2.sql', 'select pg_sleep(600)')
    await expect(bench.build(bench.folder, { deadlineMs: 300 })).rejects.toMatchObject({
      code: 'MIGRATION_TIMEOUT',
      what: expect.stringMatching(/2\.sql did not end within 300 ms/) as string,
      seen: expect.stringMatching(
        /vivarium migrations \(active, waits for Timeout PgSleep\): select pg_sleep\(600\)/,
      ) as string,
    })
  })

  test('an empty folder is refused', async () => {
    await expect(bench.build()).rejects.toMatchObject({ code: 'MIGRATIONS_NOT_FOUND' })
  })

  test('a command finds the URL in its environment, and may leave connections', async () => {
    const script = `const { Client } = require('pg'); const c = new Client(process.env.SHOP_DB);
      c.connect().then(() => c.query('create table made ()'))
        .then(() => c.query('begin; lock made')).then(() => process.exit(0))`
    await bench.put('migrate.cjs', script)
    const command = `NODE_PATH=${JSON.stringify(join(process.cwd(), '../../node_modules'))} node ${JSON.stringify(join(bench.folder, 'migrate.cjs'))}`
    const template = await bench.build({ command, inputs: [bench.folder] }, { env: 'SHOP_DB' })
    expect(await bench.look(template, "SELECT count(*) FROM pg_tables WHERE tablename = 'made'")).toEqual(['1'])
  })

  test('a command that fails or hangs shows its end', async () => {
    const failing = { command: 'echo first; echo broken pipe >&2; exit 3', inputs: [] }
    await expect(bench.build(failing)).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      seen: expect.stringMatching(/^exit code 3[^]*broken pipe/) as string,
    })
    await expect(bench.build({ command: 'kill -TERM $$', inputs: [] })).rejects.toThrow(
      /signal SIGTERM; it printed nothing/,
    )
    const hanging = { command: 'echo started; sleep 600 & wait', inputs: [] }
    await expect(bench.build(hanging, { deadlineMs: 300 })).rejects.toMatchObject({
      code: 'MIGRATION_TIMEOUT',
      seen: expect.stringMatching(/nothing was connected[^]*started/) as string,
    })
  })

  test('a function is given a URL; what it leaves connected is ended', async () => {
    let left: PostgresClient | undefined
    const run = async (database: string): Promise<void> => {
      left = await openPostgresClient(database)
      await left.query('create table a (); begin; lock a')
      await left.query('commit; begin; lock a')
    }
    expect((await bench.build({ run, inputs: [] })).built).toBe(true)
    await expect(left!.closed).resolves.toMatchObject({ message: expect.stringContaining('57P01') as string })
  })

  test('a function that fails or hangs is shown, and leaves nothing', async () => {
    const run = (): Promise<void> => Promise.reject(new TypeError('no such thing'))
    await expect(bench.build({ run, inputs: [] })).rejects.toMatchObject({
      code: 'MIGRATION_FAILED',
      seen: expect.stringContaining('TypeError: no such thing') as string,
    })
    const hang = (): Promise<void> => new Promise(() => undefined)
    await expect(bench.build({ run: hang, inputs: [] }, { deadlineMs: 100 })).rejects.toMatchObject({
      code: 'MIGRATION_TIMEOUT',
    })
  })
})
