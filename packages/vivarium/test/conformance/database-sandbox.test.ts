import pg from 'pg'
import { describe, expect, test } from 'vitest'
import type { ObservedQuery, Sandbox } from '../../src/index.ts'
import { closeCodes, closeError, inSandbox, openTestVivarium, plainServerOf, useVivarium } from '../support/vivarium.ts'
import {
  bind,
  connect,
  copyData,
  errorOf,
  execute,
  flush,
  parse,
  query,
  queryError,
  rowsOf,
  run,
  statusOf,
  sync,
  type WireConnection,
} from '../support/wire.ts'

const vivarium = useVivarium({ isolation: 'database' })

function open(title?: string): Promise<Sandbox> {
  return vivarium.openSandbox({ title })
}

function count(connection: WireConnection): Promise<string | null | undefined> {
  return connection.query('select count(*) from parents').then((answers) => rowsOf(answers)[0]?.[0])
}

describe('what one session cannot give is real', () => {
  test('a notification reaches the connection that listens, from the backend that the sender was told of', async () => {
    await inSandbox(vivarium, async (listener) => {
      const sender = await connect(vivarium.postgres.url)
      await listener.query('listen news')
      await sender.query(`notify news, 'hello'`)
      const [notification] = (await listener.until('A')).slice(-1)
      expect(notification?.fields).toMatchObject({ channel: 'news', payload: 'hello', processId: sender.processId })
      await sender.end()
    })
  })

  test('two transactions are open at once, and neither sees what the other has not committed', async () => {
    await inSandbox(vivarium, async (one) => {
      const two = await connect(vivarium.postgres.url)
      await one.query('begin; insert into parents values (3)')
      await two.query('begin; insert into parents values (4)')
      expect(await count(one)).toBe('3')
      expect(await count(two)).toBe('3')
      await one.query('commit')
      expect(await count(two)).toBe('4')
      await two.query('commit')
      await two.end()
    })
  })

  test('a lock_timeout ends the wait for a row that another connection holds, with the words of the server', async () => {
    await inSandbox(vivarium, async (one) => {
      const two = await connect(vivarium.postgres.url)
      await one.query('begin; update parents set name = name where id = 1')
      const answers = await two.query(`set lock_timeout = '20ms'; update parents set name = 'mine' where id = 1`)
      expect(errorOf(answers)).toMatchObject({ C: '55P03', M: 'canceling statement due to lock timeout' })
      await one.query('commit')
      expect(errorOf(await two.query(`update parents set name = 'mine' where id = 1`))).toBeUndefined()
      await two.end()
    })
  })

  test('row locks and advisory locks block another connection of the same test', async () => {
    await inSandbox(vivarium, async (one) => {
      const two = await connect(vivarium.postgres.url)
      await one.query('begin; select * from parents where id = 1 for update; select pg_advisory_xact_lock(7)')
      const error = await queryError(two, 'select * from parents where id = 1 for update nowait')
      expect(error['C']).toBe('55P03')
      expect(rowsOf(await two.query('select id from parents order by id for update skip locked'))).toEqual([['2']])
      expect(rowsOf(await two.query('select pg_try_advisory_lock(7)'))).toEqual([['f']])
      await one.query('commit')
      expect(rowsOf(await two.query('select pg_try_advisory_lock(7)'))).toEqual([['t']])
      await two.end()
    })
  })

  test('isolation levels hold: a repeatable read keeps its snapshot, a serializable conflict is one', async () => {
    await inSandbox(vivarium, async (one) => {
      const two = await connect(vivarium.postgres.url)
      await one.query('begin isolation level repeatable read')
      expect(await count(one)).toBe('2')
      await two.query('insert into parents values (3)')
      expect(await count(one)).toBe('2')
      await one.query('commit')
      for (const connection of [one, two]) {
        await connection.query('begin isolation level serializable; select sum(id) from parents')
      }
      await one.query('insert into parents values (10)')
      await two.query('insert into parents values (11)')
      await one.query('commit')
      expect((await queryError(two, 'commit'))['C']).toBe('40001')
      await two.end()
    })
  })

  test('time moves from one transaction to the next', async () => {
    await inSandbox(vivarium, async (connection) => {
      const first = rowsOf(await connection.query('select now()'))
      expect(rowsOf(await connection.query('select now()'))).not.toEqual(first)
    })
  })

  test.each([
    'vacuum parents',
    'create index concurrently on items (qty)',
    'reindex index concurrently items_name_key',
    `do $$ begin insert into parents values (9); commit; end $$`,
  ])('a statement that refuses a transaction runs: %s', async (text) => {
    await inSandbox(vivarium, async (connection) => {
      expect(errorOf(await connection.query(text))).toBeUndefined()
    })
  })

  test('the application cannot make databases, as the ordinary role that it is', async () => {
    await inSandbox(vivarium, async (connection, sandbox) => {
      expect((await queryError(connection, 'create database mine'))['C']).toBe('42501')
      expect(sandbox.fidelityWarnings).toEqual([])
    })
  })

  test('the backend has the number that the client was told at its login', async () => {
    await inSandbox(vivarium, async (connection) => {
      expect(rowsOf(await connection.query('select pg_backend_pid()'))).toEqual([[String(connection.processId)]])
    })
  })

  test('a connection that ends its own backend gets the FATAL of the server, and the sandbox is well', async () => {
    await inSandbox(vivarium, async (other, sandbox) => {
      const connection = await connect(vivarium.postgres.url)
      connection.send(query('select pg_terminate_backend(pg_backend_pid())'))
      expect(errorOf(await connection.untilClosed())).toMatchObject({ S: 'FATAL', C: '57P01' })
      expect(await count(other)).toBe('2')
      expect(sandbox.queries.filter(({ error }) => error?.code === '57P01')).toHaveLength(1)
    })
  })

  test('a backend that an administrator ends takes only its own client with it', async () => {
    await inSandbox(vivarium, async (other) => {
      const victim = await connect(vivarium.postgres.url)
      await victim.query('begin; insert into parents values (3)')
      const admin = await connect(plainServerOf(vivarium).maintenance)
      await admin.query(`select pg_terminate_backend(${victim.processId}, 5000)`)
      expect(errorOf(await victim.untilClosed())).toMatchObject({ S: 'FATAL', C: '57P01' })
      expect(await count(other)).toBe('2')
      await admin.end()
    })
  })
})

describe('from one sandbox to the next', () => {
  test('what was committed is gone, schema and sequences included', async () => {
    for (let round = 1; round <= 2; round += 1) {
      await inSandbox(vivarium, async (connection) => {
        const inserted = await connection.query(`insert into items (name) values ('new') returning id`)
        expect(rowsOf(inserted), `round ${round}`).toEqual([['4']])
        expect(errorOf(await connection.query('create table stray (id integer)'))).toBeUndefined()
        await connection.query('drop table parents cascade')
      })
    }
  })

  test('a pool keeps its connections, and their settings, statements and cursors are as production would have them', async () => {
    const connection = await connect(vivarium.postgres.url, { parameters: { application_name: 'shop' } })
    const show = async (name: string): Promise<unknown> => rowsOf(await connection.query(`show ${name}`))[0]?.[0]
    const first = await open('first')
    await connection.query(
      `set time zone 'Asia/Tokyo'; set search_path to public, pg_temp; begin; set local work_mem = '1MB'; commit`,
    )
    await connection.query(`begin; set lock_timeout = '5s'; rollback`)
    await connection.query(`set statement_timeout = '9s'; reset statement_timeout`)
    await connection.query(`select set_config('app.tenant', '42', false), set_config('app.local', '1', true)`)
    await connection.query('prepare by_id (int) as select name from parents where id = $1')
    connection.send(parse('select id from parents where id = $1', 'named'), sync())
    await connection.until('Z')
    await first.close()
    for (const isolation of ['database', 'transaction', 'database'] as const) {
      const next = await vivarium.openSandbox({ isolation, title: isolation })
      expect(await show('timezone'), isolation).toBe('Asia/Tokyo')
      expect(await show('search_path')).toBe('public, pg_temp')
      expect(await show('work_mem')).not.toBe('1MB')
      expect(await show('lock_timeout')).toBe('0')
      expect(await show('statement_timeout')).toBe('0')
      expect(await show('app.tenant')).toBe('42')
      expect(await show('application_name')).toBe('shop')
      expect(rowsOf(await connection.query('execute by_id(1)')), isolation).toEqual([['one']])
      connection.send(bind({ statement: 'named', values: ['2'] }), execute(), sync())
      expect(rowsOf(await connection.until('Z')), isolation).toEqual([['2']])
      connection.send(parse('select 1', 'named'), sync())
      expect(errorOf(await connection.until('Z'))?.['C'], 'a second statement of that name').toBe('42P05')
      await next.close()
    }
    const last = await open('last')
    await connection.query('deallocate all')
    await connection.query('discard all')
    expect(await show('timezone')).not.toBe('Asia/Tokyo')
    await last.close()
    const after = await open('after')
    expect((await queryError(connection, 'execute by_id(1)'))['C']).toBe('26000')
    expect(await show('timezone')).not.toBe('Asia/Tokyo')
    await connection.end()
    await after.close()
  })

  test('a setting that the server took back, because a constraint failed at the commit, is not carried on', async () => {
    const connection = await connect(vivarium.postgres.url)
    const violate = 'insert into nodes values (1, 2)'
    const first = await open()
    await connection.query(`select set_config('app.kept', 'yes', false)`)
    connection.send(run(`select set_config('app.unit', 'bad', false)`), run(violate), sync())
    expect(errorOf(await connection.until('Z'))?.['C']).toBe('23503')
    await connection.query(`begin; select set_config('app.block', 'bad', false); ${violate}`)
    expect((await queryError(connection, 'commit'))['C']).toBe('23503')
    await first.close()
    await inSandbox(vivarium, async () => {
      const shown = await connection.query(
        `select current_setting('app.kept', true), current_setting('app.unit', true), current_setting('app.block', true)`,
      )
      expect(rowsOf(shown)).toEqual([['yes', null, null]])
    })
    await connection.end()
  })

  test('a connection that listens goes on listening in every sandbox, without a statement of its own', async () => {
    const listener = await connect(vivarium.postgres.url)
    const first = await open()
    await listener.query('listen kept; listen dropped; unlisten dropped')
    await listener.query('begin; listen undone; rollback')
    await first.close()
    for (let round = 1; round <= 2; round += 1) {
      await inSandbox(vivarium, async (sender) => {
        await sender.query(`notify undone; notify dropped; notify kept, 'round ${round}'`)
        const heard = (await listener.until('A')).map(({ fields }) => [fields['channel'], fields['payload']])
        expect(heard).toEqual([['kept', `round ${round}`]])
      })
    }
    await inSandbox(vivarium, () => listener.query('unlisten *'))
    await inSandbox(vivarium, async (sender) => {
      await sender.query('notify kept')
      await listener.query('select 1')
      expect(listener.take().filter(({ code }) => code === 'A')).toEqual([])
    })
    await listener.end()
  })

  test('tests with a transaction and tests with a database alternate on one pool', async () => {
    const pool = new pg.Pool({ connectionString: vivarium.postgres.url, max: 3 })
    const insert = { name: 'insert', text: 'insert into items (name, qty) values ($1, $2) returning id' }
    for (let round = 0; round < 6; round += 1) {
      const sandbox = await vivarium.openSandbox({ isolation: round % 2 === 0 ? 'database' : 'transaction' })
      const ids = await Promise.all(
        ['a', 'b', 'c'].map(async (name) => (await pool.query({ ...insert, values: [name, 1] })).rows[0]?.id as number),
      )
      expect(
        ids.toSorted((a, b) => a - b),
        `round ${round}`,
      ).toEqual([4, 5, 6])
      await sandbox.close()
    }
    await pool.end()
  })

  test('a pool of twenty connections works at once', async () => {
    const sandbox = await open()
    const pool = new pg.Pool({ connectionString: vivarium.postgres.url, max: 20 })
    const clients = await Promise.all(Array.from({ length: 20 }, () => pool.connect()))
    await Promise.all(clients.map((client) => client.query('begin')))
    await Promise.all(clients.map((client, index) => client.query('insert into parents values ($1)', [100 + index])))
    await Promise.all(clients.map((client) => client.query('commit')))
    for (const client of clients) client.release()
    await Promise.all(Array.from({ length: 200 }, () => pool.query('select count(*) from parents')))
    expect((await pool.query('select count(*)::int as count from parents')).rows).toEqual([{ count: 22 }])
    await pool.end()
    expect(await closeCodes(sandbox)).toEqual([])
  })
})

describe('one inside the other', () => {
  test('a test starts from what its file has committed, and takes only its own with it', async () => {
    const file = await open('file')
    const connection = await connect(vivarium.postgres.url)
    await connection.query(`insert into items (name) values ('of the file'); create table made (id integer)`)
    for (let round = 1; round <= 2; round += 1) {
      const inner = await vivarium.openSandbox({ title: `test ${round}`, within: file })
      const inserted = await connection.query(`insert into items (name) values ('of the test') returning id`)
      expect(rowsOf(inserted)).toEqual([['5']])
      const innermost = await vivarium.openSandbox({ title: 'innermost', within: inner })
      await connection.query('insert into made select count(*) from items')
      expect(rowsOf(await connection.query('select id from made'))).toEqual([['5']])
      await innermost.close()
      expect(rowsOf(await connection.query('select id from made'))).toEqual([])
      await inner.close()
    }
    expect(rowsOf(await connection.query('select count(*) from items'))).toEqual([['4']])
    await connection.query(`insert into items (name) values ('more')`)
    const later = await vivarium.openSandbox({ title: 'later', within: file })
    expect(rowsOf(await connection.query('select count(*) from items'))).toEqual([['5']])
    await later.close()
    await connection.end()
    await file.close()
  })

  test('concurrent tests each start from what their file has committed, and do not see each other', async () => {
    const file = await open('file')
    const connection = await connect(vivarium.postgres.url)
    await connection.query('insert into parents values (3)')
    const seen = await Promise.all(
      [1, 2, 3, 4].map(async (number) => {
        const title = `test ${number}`
        await using sandbox = await vivarium.openSandbox({ title, within: file, concurrent: true })
        const own = await connect(sandbox.postgres.url)
        await own.query(`insert into parents values (${number * 100})`)
        const ids = rowsOf(await own.query('select id from parents where id > 2 order by id')).flat()
        await own.end()
        return ids
      }),
    )
    expect(seen).toEqual([1, 2, 3, 4].map((number) => ['3', String(number * 100)]))
    await connection.end()
    await file.close()
  })

  test('a transaction that the file left open keeps a test from opening, and the error shows it', async () => {
    const file = await open('file')
    const connection = await connect(vivarium.postgres.url)
    await connection.query('begin; insert into parents values (3)')
    await expect(vivarium.openSandbox({ within: file })).rejects.toThrow(/TRANSACTION_LEFT_OPEN/)
    await expect(vivarium.openSandbox({ within: file })).rejects.toThrow(/begin/)
    await connection.query('commit')
    const inner = await vivarium.openSandbox({ within: file })
    expect(await count(connection)).toBe('3')
    await inner.close()
    await connection.end()
    await file.close()
  })

  test.each([
    ['database', 'transaction'],
    ['transaction', 'database'],
  ] as const)(
    'in a file of isolation %s a test of isolation %s is fine until the file has written',
    async (outer, inner) => {
      const file = await vivarium.openSandbox({ title: 'file', isolation: outer })
      const connection = await connect(vivarium.postgres.url)
      await connection.query('select * from parents')
      const other = await vivarium.openSandbox({ title: 'test', isolation: inner, within: file })
      await connection.query('insert into parents values (3)')
      expect(await count(connection)).toBe('3')
      await other.close()
      expect(await count(connection)).toBe('2')
      await connection.query('insert into parents values (4)')
      const opening = vivarium.openSandbox({ title: 'late test', isolation: inner, within: file })
      await expect(opening).rejects.toThrow(/ISOLATION_MIXED/)
      await expect(opening).rejects.toThrow(/insert into parents values \(4\)/)
      await connection.end()
      await file.close()
    },
  )
})

describe('at its end', () => {
  test.each<[string, Buffer[], string, string, string]>([
    ['in a transaction', [query('BEGIN READ WRITE')], 'Z', 'TRANSACTION_LEFT_OPEN', 'BEGIN READ WRITE'],
    ['in a failed transaction', [query('begin'), query('select 1 / 0')], 'E', 'TRANSACTION_LEFT_OPEN', 'select 1 / 0'],
    [
      'with a statement running',
      [query(`do $$ begin raise notice 'running'; perform pg_sleep(60) /* the slow one */; end $$`)],
      'N',
      'STATEMENT_STILL_RUNNING',
      'the slow one',
    ],
    [
      'in the middle of a copy',
      [query('copy parents from stdin'), copyData('3\tx\n')],
      'G',
      'STATEMENT_STILL_RUNNING',
      'copy parents',
    ],
    [
      'in a unit without its Sync',
      [run('insert into parents values (3)'), flush()],
      'C',
      'STATEMENT_STILL_RUNNING',
      'insert into parents',
    ],
    ['in a unit that failed', [run('select 1 / 0'), flush()], 'E', 'STATEMENT_STILL_RUNNING', 'select 1 / 0'],
  ])('a connection %s is reported and ended, and the next one is well', async (_where, messages, until, code, text) => {
    const sandbox = await open('leaky')
    const connection = await connect(vivarium.postgres.url)
    connection.send(...messages)
    await connection.until(until)
    // What follows the error in a failed transaction has to be there too.
    if (until === 'E' && code === 'TRANSACTION_LEFT_OPEN') await connection.until('Z')
    const error = await closeError(sandbox)
    expect(error?.errors.map((one: { code?: string }) => one.code)).toEqual([code])
    expect(error?.message).toContain(text)
    expect(errorOf(await connection.untilClosed())).toMatchObject({ S: 'FATAL', C: '57P01' })
    await inSandbox(vivarium, async (next) => expect(await count(next)).toBe('2'))
  })

  test('a connection that is idle is no leak and stays open', async () => {
    const sandbox = await open()
    const connection = await connect(vivarium.postgres.url)
    await connection.query('begin; insert into parents values (3); commit')
    expect(await closeCodes(sandbox)).toEqual([])
    await inSandbox(vivarium, async () => expect(await count(connection)).toBe('2'))
    await connection.end()
  })

  test('a database whose lease is lost fails its sandbox, and the next one has another', async () => {
    const sandbox = await open('robbed')
    const connection = await connect(vivarium.postgres.url)
    await connection.query('insert into parents values (3)')
    const admin = await connect(plainServerOf(vivarium).maintenance)
    const runId = vivarium.describe().postgres?.run.runId
    await admin.query(
      `select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name like 'vivarium lease ${runId}%'`,
    )
    await admin.end()
    expect(errorOf(await connection.untilClosed())).toMatchObject({ S: 'FATAL', C: '57P01' })
    expect(await closeCodes(sandbox)).toEqual(['SANDBOX_BROKEN'])
    await inSandbox(vivarium, async (next) => expect(await count(next)).toBe('2'))
  })

  test('a statement whose client has gone is still reported, and ended', async () => {
    const sandbox = await open('abandoned')
    const connection = await connect(vivarium.postgres.url)
    connection.send(query(`do $$ begin raise notice 'running'; perform pg_sleep(60) /* nobody waits */; end $$`))
    await connection.until('N')
    await connection.vanish()
    const error = await closeError(sandbox)
    expect(error?.errors.map((one: { code?: string }) => one.code)).toEqual(['STATEMENT_STILL_RUNNING'])
    expect(error?.message).toContain('nobody waits')
  })

  test('its database is dropped, whatever is connected to it', async () => {
    const sandbox = await open()
    const connection = await connect(vivarium.postgres.url)
    const database = rowsOf(await connection.query('select current_database()'))[0]?.[0]
    const { maintenance } = plainServerOf(vivarium)
    const stranger = await connect({ ...maintenance, database: String(database) })
    await sandbox.close()
    await stranger.untilClosed()
    const admin = await connect(maintenance)
    const left = (): Promise<unknown> =>
      admin.query(`select 1 from pg_database where datname = '${database}'`).then((answers) => rowsOf(answers).length)
    await expect.poll(left, { timeout: 10_000 }).toBe(0)
    await admin.end()
    await connection.end()
  })

  test('what crossed is recorded as in the other isolation', async () => {
    const recorded: unknown[] = []
    for (const isolation of ['transaction', 'database'] as const) {
      const sandbox = await vivarium.openSandbox({ isolation })
      const connection = await connect(vivarium.postgres.url)
      await connection.query('insert into parents values (3), (4); begin; select 1; savepoint a; commit')
      await connection.query('select id from parents where id = 99')
      await connection.query('select 1 / 0')
      await connection.query('selec')
      connection.send(
        parse('update parents set name = $1 where id = $2'),
        bind({ values: ['x', '3'] }),
        execute(),
        sync(),
      )
      await connection.until('Z')
      connection.send(run('begin'), run('select $1::int', ['7']), run('insert into parents values (3)'), sync())
      await connection.until('Z')
      expect(statusOf(await connection.query('rollback'))).toBe('I')
      connection.send(parse('select generate_series(1, 9)'), bind(), execute('', 2), sync())
      await connection.until('Z')
      await connection.query('begin; set local role none; rollback; create table t (id int)')
      await connection.end()
      await sandbox.close()
      recorded.push(sandbox.queries.map(comparable))
    }
    expect(recorded[1]).toEqual(recorded[0])
    expect(recorded[0]).toHaveLength(18)
  })
})

function comparable({ text, params, command, rowCount, error, transaction }: ObservedQuery): unknown {
  return { text, params, command, rowCount, error, transaction }
}

test('a login with settings is answered after the first database went to a sandbox that needed it', async () => {
  await using own = await openTestVivarium({ warmClones: 0 })
  const open = async (): Promise<Sandbox> => {
    const sandbox = await own.openSandbox({ concurrent: true, isolation: 'database' })
    const connection = await connect(sandbox.postgres.url)
    await connection.query('select 1')
    await connection.end()
    return sandbox
  }
  const sandboxes = await Promise.all(Array.from({ length: 9 }, open))
  for (const sandbox of sandboxes) await sandbox.close()
  const server = await connect(own.postgres.serverUrl)
  const clones = `select count(*) from pg_database where datname like '%${own.describe().postgres?.run.runId}%'`
  await expect.poll(async () => rowsOf(await server.query(clones)), { timeout: 10_000 }).toEqual([['0']])
  await server.end()
  const sandbox = await own.openSandbox({ isolation: 'database' })
  const connection = await connect(sandbox.postgres.url, { parameters: { options: '-c statement_timeout=1234' } })
  expect(rowsOf(await connection.query('show statement_timeout'))).toEqual([['1234ms']])
  await connection.end()
  await sandbox.close()
})
