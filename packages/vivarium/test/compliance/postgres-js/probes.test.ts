import postgres from 'postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Sandbox } from '../../../src/index.ts'
import { useVivarium } from '../../support/vivarium.ts'

const vivarium = useVivarium({ waitMs: 400 })
let sandbox: Sandbox
let sql: postgres.Sql

beforeEach(async () => {
  sandbox = await vivarium.openSandbox()
  sql = postgres(vivarium.postgres.url, { max: 4, onnotice: () => undefined })
})

afterEach(async () => {
  await sql.end({ timeout: 5 })
  await sandbox.close()
})

test('postgres.js: a duplicate key, then a select', async () => {
  await expect(sql`insert into items (name) values ('apple')`).rejects.toMatchObject({
    code: '23505',
    constraint_name: 'items_name_key',
    table_name: 'items',
  })
  expect([...(await sql`select count(*)::int as count from items`)]).toEqual([{ count: 3 }])
})

test(`postgres.js: a user's own savepoint rolled back to keeps what came before it`, async () => {
  await sql.begin(async (tx) => {
    await tx`insert into parents values (3, 'kept')`
    await expect(
      tx.savepoint(async (inner) => {
        await inner`insert into parents values (4, 'undone')`
        await inner`insert into parents values (4, 'again')`
      }),
    ).rejects.toMatchObject({ code: '23505' })
    await tx`insert into parents values (5, 'after')`
  })
  expect([...(await sql`select id from parents where id > 2 order by id`)]).toEqual([{ id: 3 }, { id: 5 }])
})

test('postgres.js: a COMMIT with a comment is a commit, and what follows is outside', async () => {
  const reserved = await sql.reserve()
  await reserved.unsafe('/* start */ begin')
  await reserved`insert into parents values (3)`
  await reserved.unsafe('/* all done */ COMMIT -- really')
  await expect(reserved`select 1 / 0`).rejects.toMatchObject({ code: '22012' })
  await reserved`insert into parents values (4)`
  await reserved.unsafe('rollback')
  reserved.release()
  expect([...(await sql`select id from parents where id > 2 order by id`)]).toEqual([{ id: 3 }, { id: 4 }])
})

test('postgres.js: two connections held at once: the second runs inside the transaction of the first, and says so', async () => {
  const [first, second] = [await sql.reserve(), await sql.reserve()]
  expect([...(await first`select 1 as one`)]).toEqual([{ one: 1 }])
  expect([...(await second`select 2 as two`)]).toEqual([{ two: 2 }])
  await first.unsafe('begin')
  await first`insert into parents values (3)`
  expect([...(await second`select id from parents where id = 3`)]).toEqual([{ id: 3 }])
  expect(sandbox.fidelityWarnings).toMatchObject([{ kind: 'nested-connection' }])
  await first.unsafe('commit')
  second.release()
  first.release()
  expect([...(await sql`select id from parents where id = 3`)]).toEqual([{ id: 3 }])
})

test('postgres.js: inserts that the driver pipelines', async () => {
  const one = postgres(vivarium.postgres.url, { max: 1 })
  const results = await Promise.allSettled([3, 3, 4, 5].map((id) => one`insert into parents (id) values (${id})`))
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  expect([...(await one`select id from parents where id > 2 order by id`)]).toEqual([{ id: 3 }, { id: 4 }, { id: 5 }])
  await one.end({ timeout: 5 })
})

test('postgres.js: a rejected transaction leaves nothing, also when its statements were pipelined', async () => {
  await expect(
    sql.begin((tx) => [
      tx`insert into parents values (3)`,
      tx`insert into parents values (3)`,
      tx`insert into parents values (4)`,
    ]),
  ).rejects.toMatchObject({ code: '23505' })
  expect([...(await sql`select id from parents where id > 2`)]).toEqual([])
})

test('postgres.js: an application: pool, types, cursor, copy, describe, simple queries, concurrent transactions', async () => {
  expect([...(await sql`select name, tags, data from items where name = ${'apple'}`)]).toEqual([
    { name: 'apple', tags: ['fruit', 'red'], data: { origin: 'here' } },
  ])
  await sql`insert into items ${sql(
    [
      { name: 'x', qty: 1 },
      { name: 'y', qty: 2 },
    ],
    'name',
    'qty',
  )}`
  const seen: number[] = []
  await sql`select n from generate_series(1, 25) n`.cursor(10, (rows) => {
    seen.push(rows.length)
  })
  expect(seen).toEqual([10, 10, 5])
  const described = await sql`select id, name from items where id = ${1}`.describe()
  expect(described.columns.map(({ name }) => name)).toEqual(['id', 'name'])
  expect(await sql`select 1 as a; select 2 as b`.simple()).toEqual([[{ a: 1 }], [{ b: 2 }]])
  const writable = await sql`copy parents (id, name) from stdin`.writable()
  await new Promise<void>((resolve, reject) => {
    writable.on('error', reject)
    writable.on('finish', resolve)
    writable.write('8\teight\n')
    writable.end('9\tnine\n')
  })
  const readable = await sql`copy (select id from parents order by id) to stdout`.readable()
  const chunks: Buffer[] = []
  for await (const chunk of readable) chunks.push(chunk as Buffer)
  expect(Buffer.concat(chunks).toString()).toBe('1\n2\n8\n9\n')
  const added = await Promise.all(
    [20, 21, 22].map((id) =>
      sql.begin(async (tx) => {
        await tx`insert into parents values (${id})`
        return (await tx`select count(*)::int as count from parents`)[0]?.['count'] as number
      }),
    ),
  )
  expect(added.toSorted((a, b) => a - b)).toEqual([5, 6, 7])
})

test('postgres.js: the next sandbox sees nothing of the one before, through the same pool', async () => {
  await sql`insert into items (name) values ('left behind')`
  await sandbox.close()
  sandbox = await vivarium.openSandbox()
  expect([...(await sql`select count(*)::int as count from items`)]).toEqual([{ count: 3 }])
  expect([...(await sql`insert into items (name) values ('x') returning id`)]).toEqual([{ id: 4 }])
})
