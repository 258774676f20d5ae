import { describe, expect, test } from 'vitest'
import { isolations } from '../support/isolations.ts'
import { closeCodes, inSandbox, useVivarium } from '../support/vivarium.ts'
import { connect, errorOf, rowsOf, run, sync, tagsOf, type WireConnection } from '../support/wire.ts'

const vivarium = useVivarium()

/** A statement's rows, or the SQLSTATE of its error. */
async function say(connection: WireConnection, text: string): Promise<unknown> {
  const answers = await connection.query(text)
  return errorOf(answers)?.['C'] ?? rowsOf(answers)
}

/** How many temporary tables of that name there are, whoever made them. */
async function count(connection: WireConnection, name: string): Promise<number> {
  const rows = rowsOf(
    await connection.query(
      `select count(*) from pg_class where relname = '${name}' and relpersistence = 't' and relkind in ('r', 'v', 'S')`,
    ),
  )
  return Number(rows[0]?.[0])
}

describe.each(isolations)('temporary tables, isolation %s', (isolation) => {
  test('ON COMMIT DROP drops at the application’s COMMIT, not before, and not at a savepoint’s release', async () => {
    await inSandbox(
      vivarium,
      async (connection) => {
        await connection.query('begin; create temp table scratch (id integer) on commit drop')
        await connection.query('savepoint a; insert into scratch values (1); release a')
        expect(await say(connection, 'select * from scratch')).toEqual([['1']])
        await connection.query('commit')
        expect(await say(connection, 'select * from scratch')).toBe('42P01')
        expect(await say(connection, 'begin; create temp table scratch () on commit drop; commit')).toEqual([])
        expect(await say(connection, 'create temp table scratch () on commit drop; commit; select 1')).toEqual([['1']])
        expect(await count(connection, 'scratch')).toBe(0)
      },
      { isolation },
    )
  })

  test.each([
    ['in a transaction of its own', 'create temp table scratch on commit drop as select 1 as id'],
    ['made by a DO block', `do $$ begin execute 'create temp table scratch on commit drop as select 1'; end $$`],
  ])('ON COMMIT DROP %s is carried out when the statement ends', async (_where, text) => {
    await inSandbox(
      vivarium,
      async (connection) => {
        expect(await say(connection, text)).toEqual([])
        expect(await say(connection, 'select * from scratch')).toBe('42P01')
        expect(await say(connection, text)).toEqual([])
      },
      { isolation },
    )
  })

  test('ON COMMIT DROP in a pipeline is carried out at its Sync, and a COMMIT in it counts', async () => {
    await inSandbox(
      vivarium,
      async (connection) => {
        const make = run('create temp table scratch (id integer) on commit drop')
        connection.send(make, run('insert into scratch values (1)'), sync())
        expect(tagsOf(await connection.until('Z'))).toEqual(['CREATE TABLE', 'INSERT 0 1'])
        connection.send(make, run('commit'), make, sync())
        expect(tagsOf(await connection.until('Z'))).toEqual(['CREATE TABLE', 'COMMIT', 'CREATE TABLE'])
        expect(await count(connection, 'scratch')).toBe(0)
      },
      { isolation },
    )
  })

  test('ON COMMIT DELETE ROWS empties at every commit, and only then', async () => {
    await inSandbox(
      vivarium,
      async (connection) => {
        await connection.query('create temp table parent_rows (id integer primary key) on commit delete rows')
        await connection.query(
          'create temp table child_rows (id integer references parent_rows) on commit delete rows; insert into parent_rows values (1)',
        )
        expect(await say(connection, 'select * from parent_rows')).toEqual([])
        await connection.query('begin; insert into parent_rows values (1); insert into child_rows values (1)')
        expect(await say(connection, 'select * from child_rows')).toEqual([['1']])
        await connection.query('commit')
        expect(await say(connection, 'select * from child_rows union all select * from parent_rows')).toEqual([])
        expect(await say(connection, 'insert into parent_rows values (1); select * from parent_rows')).toEqual([['1']])
        expect(await say(connection, 'select * from parent_rows')).toEqual([])
      },
      { isolation },
    )
  })

  test('what a rollback takes back is not dropped a second time, and what it brings back is', async () => {
    await inSandbox(
      vivarium,
      async (connection) => {
        await connection.query('begin; savepoint a; create temp table scratch () on commit drop; rollback to a')
        // Made so that no text tells its name.
        await connection.query(`do $$ begin execute format('create temp table %s ()', 'scratch'); end $$; commit`)
        await connection.query('begin; create temp table other_scratch () on commit drop; savepoint a')
        await connection.query('drop table other_scratch; create temp table other_scratch (); rollback to a; commit')
        expect(await count(connection, 'scratch')).toBe(1)
        expect(await count(connection, 'other_scratch')).toBe(0)
      },
      { isolation },
    )
  })

  test('a table that a routine of the database makes ON COMMIT DROP goes at the commit, too', async () => {
    await inSandbox(
      vivarium,
      async (connection) => {
        await connection.query(`create function work() returns void language plpgsql as $$
          begin create temp table scratch (id integer) on commit drop; insert into scratch values (1); end $$`)
        for (const round of [1, 2]) {
          expect(await say(connection, 'select work()'), `round ${round}`).toEqual([['']])
          expect(await say(connection, 'begin; select work(); select * from scratch'), `round ${round}`).toEqual([
            [''],
            ['1'],
          ])
          await connection.query('commit')
        }
        expect(await count(connection, 'scratch')).toBe(0)
      },
      { isolation },
    )
  })

  test('it goes although another role owns it and a view depends on it', async () => {
    await inSandbox(
      vivarium,
      async (connection) => {
        await connection.query('begin; create temp table scratch (id integer) on commit drop')
        await connection.query('create temp view scratch_view as select * from scratch; commit')
        expect(await count(connection, 'scratch')).toBe(0)
        expect(await count(connection, 'scratch_view')).toBe(0)
      },
      { isolation },
    )
  })

  test.each(['says goodbye', 'vanishes'])('what a connection made goes when it %s', async (how) => {
    await inSandbox(
      vivarium,
      async (connection) => {
        const leaver = await connect(vivarium.postgres.url)
        await leaver.query('create temp table scratch (); create temp sequence s; create temp view v as select 1')
        await leaver.query('select 1 as n into temp made_by_select')
        await (how === 'vanishes' ? leaver.vanish() : leaver.end())
        for (const name of ['scratch', 's', 'v', 'made_by_select']) {
          await expect.poll(() => count(connection, name), { timeout: 5000 }).toBe(0)
        }
        expect(await say(connection, 'create temp table scratch (id integer); select * from scratch')).toEqual([])
      },
      { isolation },
    )
  })
})

test('what a connection of the file made and left behind is gone in every test of it', async () => {
  const file = await vivarium.openSandbox({ title: 'file' })
  const pool = await connect(vivarium.postgres.url)
  await pool.query('create temp table kept ()')
  const early = await connect(vivarium.postgres.url)
  await early.query('create temp table early ()')
  const late = await connect(vivarium.postgres.url)
  await late.query('create temp table late ()')
  await early.vanish()
  for (const round of [1, 2]) {
    const inner = await vivarium.openSandbox({ title: `test ${round}`, within: file })
    // Something has run in the test already: its rollback will bring the table back.
    expect(await count(pool, 'late'), `round ${round}`).toBe(round === 1 ? 1 : 0)
    if (round === 1) await late.vanish()
    await expect.poll(() => count(pool, 'late'), { timeout: 5000 }).toBe(0)
    expect(await count(pool, 'early'), `round ${round}`).toBe(0)
    expect(await count(pool, 'kept'), `round ${round}`).toBe(1)
    expect(await count(pool, 'mine'), `round ${round}`).toBe(0)
    await pool.query('create temp table mine () on commit preserve rows')
    expect(await closeCodes(inner)).toEqual([])
  }
  await pool.end()
  expect(await closeCodes(file)).toEqual([])
})

describe('one session has one set of temporary tables', () => {
  test('another connection that names one is warned, its maker and others are not', async () => {
    await inSandbox(vivarium, async (maker, sandbox) => {
      const other = await connect(vivarium.postgres.url)
      await maker.query('create temp table scratch (id integer)')
      await maker.query('insert into scratch values (1)')
      await other.query(`select 'scratch' from parents`)
      expect(sandbox.fidelityWarnings).toEqual([])
      expect(await say(other, 'select * from scratch')).toEqual([['1']])
      expect(sandbox.fidelityWarnings).toMatchObject([
        { kind: 'temp-table', message: expect.stringContaining('"scratch"'), text: 'select * from scratch' },
      ])
      await other.end()
    })
  })

  test('a connection that makes a name which another one has gets 42P07 with the remedy', async () => {
    await inSandbox(vivarium, async (maker) => {
      const other = await connect(vivarium.postgres.url)
      await maker.query('create temp table scratch (id integer)')
      const error = errorOf(await other.query('create temp table scratch (id integer)'))
      expect(error).toMatchObject({ C: '42P07', H: expect.stringMatching(/Connection \d+ .* isolation "database"/) })
      expect(errorOf(await maker.query('create temp table scratch (id integer)'))?.['H']).toBeUndefined()
      await other.end()
    })
  })

  test('DISCARD of one connection leaves the tables of another', async () => {
    await inSandbox(vivarium, async (one) => {
      const two = await connect(vivarium.postgres.url)
      await one.query('create temp table of_one ()')
      await two.query('create temp table of_two ()')
      expect(tagsOf(await two.query('discard temp'))).toEqual(['DISCARD TEMP'])
      expect([await count(one, 'of_one'), await count(one, 'of_two')]).toEqual([1, 0])
      await two.query('create temp table of_two ()')
      expect(tagsOf(await two.query('discard all'))).toEqual(['DISCARD ALL'])
      expect([await count(one, 'of_one'), await count(one, 'of_two')]).toEqual([1, 0])
      expect(tagsOf(await one.query('discard temp'))).toEqual(['DISCARD TEMP'])
      expect(await count(one, 'of_one')).toBe(0)
      await two.end()
    })
  })
})
