import { expect, test } from 'vitest'
import { useVivarium } from '../support/vivarium.ts'
import {
  type Answer,
  bind,
  closeStatement,
  connect,
  describeStatement,
  errorOf,
  execute,
  parse,
  rowsOf,
  sync,
  tagsOf,
  type WireConnection,
} from '../support/wire.ts'

const vivarium = useVivarium()

async function exchange(connection: WireConnection, ...messages: Buffer[]): Promise<Answer[]> {
  connection.send(...messages, sync())
  return connection.until('Z')
}

test('a prepared statement lives on across sandboxes, as a pooled connection expects', async () => {
  const connection = await connect(vivarium.postgres.url)
  const first = await vivarium.openSandbox()
  await exchange(connection, parse('insert into parents values ($1, $2) returning id', 'ins'))
  expect(rowsOf(await exchange(connection, bind({ statement: 'ins', values: ['3', 'c'] }), execute()))).toEqual([['3']])
  await first.close()
  for (const round of [1, 2]) {
    const sandbox = await vivarium.openSandbox()
    const answers = await exchange(connection, bind({ statement: 'ins', values: ['3', 'c'] }), execute())
    expect(rowsOf(answers), `round ${round}`).toEqual([['3']])
    await sandbox.close()
  }
  await connection.end()
})

test('what a view writes stays when a later statement fails', async () => {
  await using sandbox = await vivarium.openSandbox()
  const connection = await connect(sandbox.postgres.url)
  await connection.query('create table seen (id int generated always as identity)')
  await connection.query(
    `create function note() returns int language sql as 'insert into seen default values returning id'`,
  )
  await connection.query('create view noted as select note() as id')
  await connection.query('select 1')
  expect(rowsOf(await connection.query('select * from noted'))).toEqual([['1']])
  expect(errorOf(await connection.query('select * from parents where id = 1 / 0'))?.['C']).toBe('22012')
  expect(rowsOf(await connection.query('select count(*) from seen'))).toEqual([['1']])
  await connection.end()
})

test.each([
  [
    'where a function has made the view',
    `select make($$create view noted as select note() as id$$)`,
    'select * from noted',
  ],
  [
    'by a function that has the name of one of the server’s',
    `create function round(int, text) returns int language sql as 'select note()'`,
    `select round(1, 'x')`,
  ],
  ['by a function whose name stands far from its arguments', 'select 1', `select note${' '.repeat(60)}()`],
])('what a read writes stays when a later statement fails, %s', async (_, made, read) => {
  await using sandbox = await vivarium.openSandbox()
  const connection = await connect(sandbox.postgres.url)
  await connection.query('create table seen (id int generated always as identity)')
  await connection.query(
    `create function note() returns int language sql as 'insert into seen default values returning id'`,
  )
  await connection.query(`create function make(text) returns void language plpgsql as 'begin execute $1; end'`)
  expect(errorOf(await connection.query(made))).toBeUndefined()
  await connection.query('select 1')
  expect(rowsOf(await connection.query(read))).toEqual([['1']])
  expect(errorOf(await connection.query('select * from parents where id = 1 / 0'))?.['C']).toBe('22012')
  expect(rowsOf(await connection.query('select count(*) from seen'))).toEqual([['1']])
  await connection.end()
})

test('reads between them change nothing of what stays and what goes', async () => {
  await using sandbox = await vivarium.openSandbox()
  const connection = await connect(sandbox.postgres.url)
  const count = async (): Promise<string | null | undefined> =>
    rowsOf(await connection.query('select count(*) from parents where id > 100'))[0]?.[0]
  expect(await count()).toBe('0')
  await connection.query(`insert into parents values (101, 'stays')`)
  expect(await count()).toBe('1')
  expect(await count()).toBe('1')
  expect(errorOf(await connection.query(`insert into parents values (102, 'goes'), (101, 'twice')`))?.['C']).toBe(
    '23505',
  )
  expect(await count()).toBe('1')
  await connection.query('begin')
  await connection.query(`insert into parents values (103, 'goes')`)
  expect(await count()).toBe('2')
  await connection.query('rollback')
  expect(await count()).toBe('1')
  await connection.end()
})

test('a prepared statement works again after a sandbox that altered its table', async () => {
  const connection = await connect(vivarium.postgres.url)
  const first = await vivarium.openSandbox()
  await exchange(connection, parse('select * from parents where id = $1', 'sel'))
  await exchange(connection, parse('insert into parents values ($1, $2)', 'ins'))
  await connection.query('alter table parents add column more integer default 7')
  await connection.query('alter table parents alter column id type text')
  await exchange(connection, parse('select * from parents', 'altered'))
  await exchange(connection, bind({ statement: 'altered' }), execute())
  await exchange(connection, parse('insert into parents values ($1, $2, $3)', 'dead'), describeStatement('dead'))
  await first.close()
  const second = await vivarium.openSandbox()
  expect(rowsOf(await exchange(connection, bind({ statement: 'sel', values: ['1'] }), execute()))).toEqual([
    ['1', 'one'],
  ])
  // Prepared while the table had another shape: its plan must not be used any more (0A000).
  const shape = await exchange(connection, bind({ statement: 'altered' }), execute())
  expect(errorOf(shape) ?? rowsOf(shape)).toEqual([
    ['1', 'one'],
    ['2', 'two'],
  ])
  expect(tagsOf(await exchange(connection, bind({ statement: 'ins', values: ['3', 'c'] }), execute()))).toEqual([
    'INSERT 0 1',
  ])
  expect(
    errorOf(await exchange(connection, bind({ statement: 'dead', values: ['9', 'x', '1'] }), execute()))?.['C'],
  ).toMatch(/42/)
  await connection.end()
  await second.close()
})

test('a statement that cannot be prepared again fails when SQL names it, and the connection goes on', async () => {
  const connection = await connect(vivarium.postgres.url)
  const first = await vivarium.openSandbox()
  await connection.query('create table made (id integer)')
  await exchange(connection, parse('select id from made', 'gone'), parse('select 5', 'there'))
  await first.close()
  const second = await vivarium.openSandbox()
  expect(errorOf(await connection.query('execute gone'))?.['C']).toBe('42P01')
  expect(errorOf(await connection.query('select 1; execute gone'))?.['C']).toBe('42P01')
  expect(rowsOf(await connection.query('select 1'))).toEqual([['1']])
  await connection.query('begin')
  expect(errorOf(await connection.query('select 1 / 0'))?.['C']).toBe('22012')
  expect(errorOf(await connection.query('execute there'))?.['C']).toBe('25P02')
  expect(errorOf(await connection.query('deallocate there'))?.['C']).toBe('25P02')
  await connection.query('rollback')
  expect(rowsOf(await connection.query('execute there'))).toEqual([['5']])
  await connection.end()
  await second.close()
})

test('the same text prepared on two connections, and closed on one, stays prepared on the other', async () => {
  const sandbox = await vivarium.openSandbox()
  const [one, two] = [await connect(vivarium.postgres.url), await connect(vivarium.postgres.url)]
  for (const connection of [one, two]) await exchange(connection, parse('select $1::integer', 'same'))
  await exchange(one, closeStatement('same'))
  expect(errorOf(await exchange(one, bind({ statement: 'same', values: ['1'] }), execute()))?.['C']).toBe('26000')
  expect(rowsOf(await exchange(two, bind({ statement: 'same', values: ['1'] }), execute()))).toEqual([['1']])
  await one.end()
  await two.end()
  await sandbox.close()
})

test('one name may mean another text on another connection', async () => {
  const sandbox = await vivarium.openSandbox()
  const [one, two] = [await connect(vivarium.postgres.url), await connect(vivarium.postgres.url)]
  await exchange(one, parse(`select 'one'`, 's'))
  await exchange(two, parse(`select 'two'`, 's'))
  expect(rowsOf(await exchange(one, bind({ statement: 's' }), execute()))).toEqual([['one']])
  expect(rowsOf(await exchange(two, bind({ statement: 's' }), execute()))).toEqual([['two']])
  await one.query('deallocate all')
  expect(rowsOf(await exchange(two, bind({ statement: 's' }), execute()))).toEqual([['two']])
  await one.end()
  await two.end()
  await sandbox.close()
})

test('the unnamed statements of two connections do not meet', async () => {
  const sandbox = await vivarium.openSandbox()
  const [one, two] = [await connect(vivarium.postgres.url), await connect(vivarium.postgres.url)]
  await exchange(one, parse(`select 'one'`))
  await exchange(two, parse(`select 'two'`))
  expect(rowsOf(await exchange(one, bind(), execute()))).toEqual([['one']])
  expect(rowsOf(await exchange(two, bind(), execute()))).toEqual([['two']])
  await one.end()
  await two.end()
  await sandbox.close()
})

test('savepoints of the same name on two connections do not meet', async () => {
  const sandbox = await vivarium.openSandbox()
  const [one, two] = [await connect(vivarium.postgres.url), await connect(vivarium.postgres.url)]
  await one.query('begin; insert into parents values (3); savepoint a; insert into parents values (4)')
  // Runs inside the transaction of the first, which is idle: its savepoints are its own all the same.
  expect(errorOf(await two.query('begin; release a'))?.['C']).toBe('3B001')
  await two.query('rollback; begin; savepoint a; insert into parents values (5); rollback to a')
  await two.query('insert into parents values (6); release a; commit')
  await one.query('release a; savepoint a; insert into parents values (7); rollback to a; commit')
  expect(errorOf(await two.query('rollback to a'))?.['C']).toBe('25P01')
  expect(rowsOf(await one.query('select id from parents where id > 2 order by id'))).toEqual([['3'], ['4'], ['6']])
  await one.end()
  await two.end()
  await sandbox.close()
})

test('settings belong to the connection that made them, also when connections take turns', async () => {
  const sandbox = await vivarium.openSandbox()
  const [one, two] = [await connect(vivarium.postgres.url), await connect(vivarium.postgres.url)]
  await one.query(`set search_path = other; set work_mem = '7MB'; set my.own = 'one'; set timezone = 'Asia/Tokyo'`)
  await two.query(`set my.own = 'two'`)
  const look = `select current_setting('search_path'), current_setting('work_mem'), current_setting('my.own'), current_setting('timezone')`
  for (const round of [1, 2]) {
    expect(rowsOf(await one.query(look)), `round ${round}`).toEqual([['other', '7MB', 'one', 'Asia/Tokyo']])
    expect(rowsOf(await two.query(look))[0]?.slice(0, 3), `round ${round}`).not.toContain('7MB')
    expect(rowsOf(await two.query(look))[0]?.[2]).toBe('two')
  }
  await one.query(`begin; set local my.own = 'local'; commit`)
  expect(rowsOf(await one.query(look))[0]?.[2]).toBe('one')
  await one.end()
  await two.end()
  await sandbox.close()
})

test('twenty thousand different named statements do not exhaust the session', async () => {
  const sandbox = await vivarium.openSandbox()
  const connection = await connect(vivarium.postgres.url)
  for (let batch = 0; batch < 20; batch += 1) {
    const messages = Array.from({ length: 1000 }, (_, n) => parse(`select ${batch * 1000 + n}`, `s${batch}_${n}`))
    expect(errorOf(await exchange(connection, ...messages))).toBeUndefined()
  }
  expect(rowsOf(await exchange(connection, bind({ statement: 's0_5' }), execute()))).toEqual([['5']])
  const [[count] = []] = rowsOf(await connection.query('select count(*) from pg_prepared_statements'))
  expect(Number(count)).toBeLessThan(1000)
  await connection.end()
  await sandbox.close()
})
