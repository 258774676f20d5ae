import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Sandbox } from '../../../src/index.ts'
import { useVivarium } from '../../support/vivarium.ts'

const vivarium = useVivarium({ waitMs: 400 })
let sandbox: Sandbox
let pool: pg.Pool

beforeEach(async () => {
  sandbox = await vivarium.openSandbox()
  pool = new pg.Pool({ connectionString: vivarium.postgres.url, max: 5 })
})

afterEach(async () => {
  await pool.end()
  await sandbox.close()
})

test('pg: a duplicate key, then a select', async () => {
  await expect(pool.query(`insert into items (name) values ('apple')`)).rejects.toMatchObject({
    code: '23505',
    constraint: 'items_name_key',
    table: 'items',
    detail: 'Key (name)=(apple) already exists.',
  })
  const { rows } = await pool.query('select count(*)::int as count from items')
  expect(rows).toEqual([{ count: 3 }])
})

test(`pg: a user's own savepoint rolled back to keeps what came before it`, async () => {
  const client = await pool.connect()
  await client.query('BEGIN')
  await client.query(`insert into parents values (3, 'kept')`)
  await client.query('SAVEPOINT mine')
  await expect(client.query(`insert into parents values (3, 'again')`)).rejects.toMatchObject({ code: '23505' })
  await expect(client.query('select 1')).rejects.toMatchObject({ code: '25P02' })
  await client.query('ROLLBACK TO SAVEPOINT mine')
  await client.query(`insert into parents values (4, 'after')`)
  await client.query('COMMIT')
  client.release()
  const { rows } = await pool.query('select id from parents where id > 2 order by id')
  expect(rows).toEqual([{ id: 3 }, { id: 4 }])
})

test('pg: a COMMIT with a comment is a commit, and what follows is outside', async () => {
  const client = await pool.connect()
  await client.query('/* start */ begin')
  await client.query('insert into parents values (3)')
  await client.query('/* all done */ COMMIT -- really')
  await expect(client.query('select 1 / 0')).rejects.toMatchObject({ code: '22012' })
  await client.query('insert into parents values (4)')
  await client.query('ROLLBACK')
  client.release()
  const { rows } = await pool.query('select id from parents where id > 2 order by id')
  expect(rows).toEqual([{ id: 3 }, { id: 4 }])
})

test('pg: two pooled connections held at once: the second runs inside the transaction of the first, and says so', async () => {
  const [first, second] = [await pool.connect(), await pool.connect()]
  expect((await first.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  expect((await second.query('select 2 as two')).rows).toEqual([{ two: 2 }])
  await first.query('begin')
  await first.query('insert into parents values (3)')
  expect((await second.query('select id from parents where id = 3')).rows).toEqual([{ id: 3 }])
  expect(sandbox.fidelityWarnings).toMatchObject([{ kind: 'nested-connection' }])
  await first.query('commit')
  expect((await second.query('select id from parents where id = 3')).rows).toEqual([{ id: 3 }])
  first.release()
  second.release()
})

test('pg: inserts that are sent without waiting', async () => {
  const client = await pool.connect()
  const results = await Promise.allSettled([
    client.query('insert into parents values ($1)', [3]),
    client.query('insert into parents values ($1)', [3]),
    client.query('insert into parents values ($1)', [4]),
  ])
  client.release()
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  const { rows } = await pool.query('select id from parents where id > 2 order by id')
  expect(rows).toEqual([{ id: 3 }, { id: 4 }])
})

test('pg: an application: pool, named statements, types, transactions, errors, notices, cursors by rows', async () => {
  const notices: string[] = []
  pool.on('connect', (client) => client.on('notice', ({ message }) => notices.push(message ?? '')))
  const named = { name: 'find', text: 'select id, name, price, tags, data from items where name = $1' }
  for (const name of ['apple', 'bread', 'apple']) {
    const { rows } = await pool.query({ ...named, values: [name] })
    expect(rows[0]?.name).toBe(name)
  }
  const transfer = async (fails: boolean): Promise<void> => {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      await client.query('update items set qty = qty - 1 where name = $1', ['apple'])
      await client.query('insert into audited values ($1, $2)', [fails ? 1 : 2, 'sold'])
      if (fails) await client.query('update items set qty = -5')
      await client.query('COMMIT')
    } catch (error) {
      await client.query('ROLLBACK')
      throw error
    } finally {
      client.release()
    }
  }
  await expect(transfer(true)).rejects.toMatchObject({ code: '23514', constraint: 'items_qty_not_negative' })
  await transfer(false)
  expect((await pool.query(`select qty from items where name = 'apple'`)).rows).toEqual([{ qty: 4 }])
  expect((await pool.query('select id from audited')).rows).toEqual([{ id: 2 }])
  expect(notices).toEqual(['audited INSERT', 'audited INSERT'])
  const { rows } = await pool.query({ text: 'select n from generate_series(1, 50) n', rows: 7 } as pg.QueryConfig)
  expect(rows).toHaveLength(50)
  const multiple = (await pool.query('select 1 as a; select 2 as b')) as unknown as pg.QueryResult[]
  expect(multiple.map((result) => result.rows)).toEqual([[{ a: 1 }], [{ b: 2 }]])
})

test('pg: the next sandbox sees nothing of the one before, through the same pool', async () => {
  await pool.query(`insert into items (name) values ('left behind')`)
  await sandbox.close()
  sandbox = await vivarium.openSandbox()
  expect((await pool.query('select count(*)::int as count from items')).rows).toEqual([{ count: 3 }])
  expect((await pool.query(`insert into items (name) values ('x') returning id`)).rows).toEqual([{ id: 4 }])
})
