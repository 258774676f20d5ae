import pg from 'pg'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Sandbox } from '../../src/index.ts'
import { closeCodes, closeError, useVivarium, wordsOf } from '../support/vivarium.ts'
import {
  bind,
  cancel,
  connect,
  copyData,
  copyDone,
  errorOf,
  execute,
  flush,
  parse,
  query,
  queryError,
  rowsOf,
  statusOf,
  sync,
  type WireConnection,
} from '../support/wire.ts'

const vivarium = useVivarium({ waitMs: 400 })
let sandbox: Sandbox
let open: WireConnection[] = []

beforeEach(async () => {
  sandbox = await vivarium.openSandbox({ title: 'contention' })
})
afterEach(async () => {
  for (const connection of open) connection.socket.destroy()
  open = []
  await sandbox.close().catch(() => undefined)
})

async function connections(count: number): Promise<WireConnection[]> {
  const made: WireConnection[] = []
  while (made.length < count) made.push(await connect(vivarium.postgres.url))
  open.push(...made)
  return made
}

async function two(): Promise<[WireConnection, WireConnection]> {
  return (await connections(2)) as [WireConnection, WireConnection]
}

async function three(): Promise<[WireConnection, WireConnection, WireConnection]> {
  return (await connections(3)) as [WireConnection, WireConnection, WireConnection]
}

function pool(max: number): pg.Pool {
  const made = new pg.Pool({ connectionString: vivarium.postgres.url, max })
  onTestFinished(() => made.end())
  return made
}

async function inTransaction<T>(on: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await on.connect()
  try {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  } finally {
    client.release()
  }
}

/** Ids above those of the migrations. */
async function parents(connection: WireConnection): Promise<string[]> {
  const answers = await connection.query('select id from parents where id > 2 order by id')
  expect(errorOf(answers)).toBeUndefined()
  return rowsOf(answers).map(([id]) => String(id))
}

async function ok(connection: WireConnection, text: string): Promise<void> {
  expect(errorOf(await connection.query(text)), text).toBeUndefined()
}

/** What was sent has reached the gateway, which runs in this process: two turns of the loop and not a wait. */
async function gatewayHasRead(): Promise<void> {
  for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** Timers that were due while the loop was blocked have been called once. */
function timersHaveRun(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Keeps the event loop from turning. */
function block(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

function kinds(): string[] {
  return sandbox.fidelityWarnings.map(({ kind }) => kind)
}

describe('one after the other', () => {
  test('two transactions that are started together both finish, one after the other', async () => {
    const clients = pool(5)
    const insert = async (id: number): Promise<string> =>
      inTransaction(clients, async (client) => {
        await client.query('insert into parents values ($1)', [id])
        const { rows } = await client.query<{ seen: string }>(
          `select string_agg(id::text, ' ' order by id) as seen from parents where id > 2`,
        )
        return String(rows[0]?.seen)
      })
    expect(await Promise.all([insert(3), insert(4)])).toEqual(['3', '3 4'])
    expect(kinds()).toEqual([])
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('twenty connections of one pool run two hundred transactions and single statements', async () => {
    const clients = pool(20)
    const work = Array.from({ length: 200 }, async (_, at) => {
      if (at % 2 === 0) return clients.query('insert into parents values ($1)', [1000 + at])
      return inTransaction(clients, async (client) => {
        await client.query('insert into parents values ($1)', [1000 + at])
        await client.query('insert into children values ($1, $1)', [1000 + at])
      })
    })
    const results = await Promise.allSettled(work)
    expect(results.filter(({ status }) => status === 'rejected')).toEqual([])
    const { rows } = await clients.query(
      'select (select count(*) from parents) as p, (select count(*) from children) as c',
    )
    expect(rows).toEqual([{ p: '202', c: '101' }])
    expect(await closeCodes(sandbox)).toEqual([])
  }, 30_000)
})

describe('one inside the other', () => {
  test('a transaction that awaits a statement on another pooled connection finishes, with a fidelity warning', async () => {
    const clients = pool(5)
    const seen = await inTransaction(clients, async (client) => {
      await client.query('insert into parents values (3)')
      const { rows } = await clients.query('select count(*)::int as seen from parents where id = 3')
      await client.query('insert into children values (30, 3)')
      return rows
    })
    expect(seen).toEqual([{ seen: 1 }])
    expect(sandbox.fidelityWarnings).toMatchObject([
      { kind: 'nested-connection', text: 'select count(*)::int as seen from parents where id = 3' },
    ])
    expect(sandbox.fidelityWarnings[0]?.message).toContain('insert into parents values (3)')
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('a transaction that awaits a whole transaction on another pooled connection finishes, and both stay', async () => {
    const clients = pool(5)
    await inTransaction(clients, async (outer) => {
      await outer.query('insert into parents values (3)')
      await inTransaction(clients, async (inner) => {
        await inner.query('insert into parents values (4)')
        await inner.query('insert into children values (40, 4)')
      })
      await outer.query('insert into parents values (5)')
    })
    const { rows } = await clients.query('select id from parents where id > 2 order by id')
    expect(rows).toEqual([{ id: 3 }, { id: 4 }, { id: 5 }])
    expect(kinds()).toEqual(['nested-connection'])
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('three deep, each inside the one before, and what the middle one rolls back is gone', async () => {
    const [first, second, third] = await three()
    await ok(first, 'begin; insert into parents values (3)')
    await ok(second, 'begin; insert into parents values (4)')
    await ok(third, 'begin; savepoint a; insert into parents values (5); rollback to a; commit')
    expect(await parents(third)).toEqual(['3', '4'])
    await ok(second, 'rollback')
    await ok(first, 'commit')
    expect(await parents(second)).toEqual(['3'])
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('three deep with pg: each awaits the next', async () => {
    const clients = pool(5)
    const nest = async (depth: number): Promise<void> =>
      inTransaction(clients, async (client) => {
        await client.query('insert into parents values ($1)', [10 + depth])
        if (depth < 3) await nest(depth + 1)
        await client.query('insert into children values ($1, $1)', [10 + depth])
      })
    await nest(1)
    const { rows } = await clients.query('select id from children where id > 10 order by id')
    expect(rows).toEqual([{ id: 11 }, { id: 12 }, { id: 13 }])
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('an error inside the inner one ends that one only', async () => {
    const [outer, inner] = await two()
    await ok(outer, 'begin; insert into parents values (3)')
    expect((await queryError(inner, 'insert into parents values (3)'))['C']).toBe('23505')
    await ok(inner, 'begin')
    expect((await queryError(inner, 'select 1 / 0'))['C']).toBe('22012')
    await ok(outer, 'insert into parents values (4)')
    expect((await queryError(inner, 'select 1'))['C']).toBe('25P02')
    await ok(inner, 'rollback')
    await ok(outer, 'commit')
    expect(await parents(inner)).toEqual(['3', '4'])
  })

  test('savepoints of one name on both connections do not meet', async () => {
    const [outer, inner] = await two()
    await ok(outer, 'begin; insert into parents values (3); savepoint a; insert into parents values (4)')
    await ok(inner, 'begin; savepoint a; insert into parents values (5); savepoint a; insert into parents values (6)')
    await ok(inner, 'rollback to a; release a; commit')
    expect(await parents(outer)).toEqual(['3', '4', '5'])
    await ok(outer, 'release a; commit')
    expect(await parents(outer)).toEqual(['3', '4', '5'])
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('a portal of the holder goes on where it was suspended', async () => {
    const [outer, inner] = await two()
    await ok(outer, 'begin')
    outer.send(parse('select generate_series(1, 5)'), bind(), execute('', 2), sync())
    expect(rowsOf(await outer.until('Z'))).toEqual([['1'], ['2']])
    await ok(inner, 'insert into parents values (3)')
    expect((await queryError(inner, 'insert into parents values (3)'))['C']).toBe('23505')
    outer.send(execute('', 0), sync())
    expect(rowsOf(await outer.until('Z'))).toEqual([['3'], ['4'], ['5']])
    await ok(outer, 'commit')
  })

  test('settings of the holder are not seen inside, and are back afterwards: SET, SET LOCAL, set_config, the role', async () => {
    const [outer, inner] = await two()
    const settings = `select current_setting('app.a', true), current_setting('app.b', true), current_setting('app.c', true), current_setting('TimeZone')`
    await ok(outer, `set app.a = 'session'`)
    await ok(outer, `begin; set local app.b = 'local'`)
    await ok(outer, `select set_config('app.c', 'called', true)`)
    await ok(outer, `set local timezone = 'Asia/Tokyo'`)
    await ok(inner, `set app.a = 'mine'`)
    expect(rowsOf(await inner.query(settings))).not.toContainEqual(expect.arrayContaining(['local']))
    expect(rowsOf(await inner.query(settings))[0]?.[0]).toBe('mine')
    expect(rowsOf(await outer.query(settings))).toEqual([['session', 'local', 'called', 'Asia/Tokyo']])
    await ok(outer, 'commit')
    const after = rowsOf(await outer.query(settings))[0]
    expect(after?.[0]).toBe('session')
    expect([null, '']).toContain(after?.[1])
    expect(after?.[3]).not.toBe('Asia/Tokyo')
    expect(rowsOf(await inner.query(settings))[0]?.[0]).toBe('mine')
  })

  test('a row-level-security session set locally by the holder does not reach the other connection', async () => {
    const [outer, inner] = await two()
    await ok(outer, `begin; set local app.owner = 'alice'`)
    expect(rowsOf(await outer.query('select owner from secrets'))).toEqual([['alice']])
    expect(rowsOf(await inner.query('select owner from secrets'))).toEqual([])
    await ok(inner, `begin; set local app.owner = 'bob'`)
    expect(rowsOf(await inner.query('select owner from secrets'))).toEqual([['bob']])
    await ok(inner, 'commit')
    expect(rowsOf(await outer.query('select owner from secrets'))).toEqual([['alice']])
    await ok(outer, 'commit')
  })

  test('deferred constraints: each fails for its own violations only, and the holder’s stay deferred', async () => {
    const [outer, inner] = await two()
    await ok(outer, 'begin; set constraints slots_pos_key deferred; insert into nodes values (1, 2)')
    await ok(inner, 'insert into nodes values (7, 7)')
    await ok(inner, 'begin; insert into nodes values (8, 8); commit')
    await ok(inner, 'begin')
    await ok(inner, 'insert into nodes values (9, 9)')
    await ok(inner, 'commit')
    // Both would fail were they checked at once.
    await ok(outer, 'update slots set pos = 2 where id = 1')
    await ok(outer, 'insert into nodes values (2, null); update slots set pos = 1 where id = 2')
    expect((await queryError(inner, 'insert into nodes values (5, 99)'))['C']).toBe('23503')
    await ok(inner, 'begin')
    await ok(inner, 'insert into nodes values (6, 99)')
    expect((await queryError(inner, 'commit'))['C']).toBe('23503')
    await ok(outer, 'commit')
    expect(rowsOf(await outer.query('select id from nodes order by id'))).toEqual([['1'], ['2'], ['7'], ['8'], ['9']])
    expect(sandbox.fidelityWarnings[0]?.message).toMatch(/violates a deferred constraint just now/)
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('inside a READ ONLY transaction another connection can write, and the transaction stays READ ONLY', async () => {
    const [outer, inner] = await two()
    await ok(outer, 'begin read only')
    await ok(outer, 'select 1')
    await ok(inner, 'insert into parents values (3)')
    expect(await parents(outer)).toEqual(['3'])
    expect((await queryError(outer, 'insert into parents values (4)'))['C']).toBe('25006')
    await ok(outer, 'rollback')
    await ok(outer, 'begin read only')
    await ok(outer, 'select 1')
    await ok(inner, 'insert into parents values (5)')
    await ok(outer, 'commit')
    expect((await parents(inner)).at(-1)).toBe('5')
  })

  test('a transaction that has only begun holds nothing: what runs meanwhile is independent of it', async () => {
    const [outer, inner] = await two()
    await ok(outer, 'begin')
    await ok(inner, 'insert into parents values (3)')
    await ok(outer, 'rollback')
    expect(await parents(outer)).toEqual(['3'])
    expect(kinds()).toEqual([])
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('the same pair of statements is warned of once', async () => {
    const [outer, inner, another] = await three()
    await ok(outer, 'begin; insert into parents values (3)')
    for (const connection of [inner, inner, another]) await ok(connection, 'select 1')
    await ok(inner, 'select 2')
    await ok(outer, 'commit')
    expect(sandbox.fidelityWarnings.map(({ text }) => text)).toEqual(['select 1', 'select 2'])
  })
})

describe('one after the other inside a third', () => {
  const patient = useVivarium({ nestAfterMs: 1000, waitMs: 10_000 })

  test('while the holder has sent nothing, the next ones need not wait as long again', async () => {
    await sandbox.close()
    sandbox = await patient.openSandbox()
    open.push(await connect(patient.postgres.url), await connect(patient.postgres.url))
    const [holder, other] = open as [WireConnection, WireConnection]
    await ok(holder, 'begin; insert into parents values (3)')
    await ok(other, 'select 1')
    const startedAt = performance.now()
    for (let round = 0; round < 10; round += 1) await ok(other, 'select 1')
    // Had each waited as long as the first, this would be ten seconds at least.
    expect(performance.now() - startedAt).toBeLessThan(10_000)
    await ok(holder, 'commit')
  }, 30_000)
})

describe('committed work that is lost', () => {
  test.each<[string, string]>([
    ['a rollback', 'rollback'],
    ['a rollback to a savepoint from before', 'rollback to a; commit'],
  ])('%s by the holder fails the sandbox, and names both', async (_how, ending) => {
    const [outer, inner] = await two()
    await ok(outer, 'begin; savepoint a; insert into parents values (3)')
    await ok(inner, 'begin; insert into parents values (4); commit')
    await ok(outer, ending)
    expect(await parents(inner)).toEqual([])
    const error = await closeError(sandbox)
    expect(error?.errors).toMatchObject([{ code: 'COMMITTED_WORK_LOST' }])
    expect(error?.message).toContain('insert into parents values (4)')
    expect(error?.message).toContain('rollback')
    expect(error?.message).toMatch(/isolation 'database'/)
  })

  test('a sandbox that did nothing hides nothing of the next one', async () => {
    await sandbox.close()
    for (let round = 0; round < 2; round += 1) {
      sandbox = await vivarium.openSandbox()
      const [outer, inner] = await two()
      await ok(outer, 'begin; insert into parents values (3)')
      await ok(inner, 'insert into parents values (4)')
      await ok(outer, 'rollback')
      expect(await closeCodes(sandbox)).toEqual(['COMMITTED_WORK_LOST'])
    }
  })

  test('with pg: a callback that throws loses what another connection committed inside', async () => {
    const clients = pool(5)
    const attempt = inTransaction(clients, async (client) => {
      await client.query('insert into parents values (3)')
      await clients.query(`insert into audited values (1, 'attempt')`)
      throw new Error('changed my mind')
    })
    await expect(attempt).rejects.toThrow('changed my mind')
    expect(await closeCodes(sandbox)).toEqual(['COMMITTED_WORK_LOST'])
  })

  test('a failed COMMIT of the holder loses it too', async () => {
    const [outer, inner] = await two()
    await ok(outer, 'begin')
    await ok(outer, 'insert into nodes values (1, 1)')
    await ok(inner, 'insert into parents values (3)')
    await ok(outer, 'insert into nodes values (2, 99)')
    expect((await queryError(outer, 'commit'))['C']).toBe('23503')
    expect(await closeCodes(sandbox)).toEqual(['COMMITTED_WORK_LOST'])
  })

  test('a failing statement of the holder loses it too', async () => {
    const [outer, inner] = await two()
    await ok(outer, 'begin; insert into parents values (3)')
    await ok(inner, 'insert into parents values (4)')
    await queryError(outer, 'select 1 / 0')
    await ok(outer, 'rollback')
    expect(await closeCodes(sandbox)).toEqual(['COMMITTED_WORK_LOST'])
  })

  test('a holder that vanishes loses it too', async () => {
    const [outer, inner] = await two()
    await ok(outer, 'begin; insert into parents values (3)')
    await ok(inner, 'insert into parents values (4)')
    await outer.vanish()
    expect(await parents(inner)).toEqual([])
    expect(await closeCodes(sandbox)).toEqual(['COMMITTED_WORK_LOST'])
  })

  test.each([
    'select count(*) from parents',
    'select * from parents',
    'update parents set name = name where id = -1',
    'begin; insert into parents values (9); rollback',
    'begin; savepoint a; insert into parents values (9); rollback to a; commit',
    'copy parents to stdout',
  ])('%s inside loses nothing when the holder rolls back', async (text) => {
    const [outer, inner] = await two()
    await ok(outer, 'begin; insert into parents values (3)')
    await ok(inner, text)
    await ok(outer, 'rollback')
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test.each([
    `select try_insert('by a function')`,
    `with new as (insert into parents values (9) returning id) select id from new`,
    'create table made as select 1 as one',
    `do $$ begin insert into parents values (9); end $$`,
    `call add_label('by a procedure')`,
    `begin; select try_insert('in a transaction'); commit`,
  ])('%s inside is lost when the holder rolls back', async (text) => {
    const [outer, inner] = await two()
    await ok(outer, 'begin; insert into parents values (3)')
    await ok(inner, text)
    await ok(outer, 'rollback')
    expect(await closeCodes(sandbox)).toEqual(['COMMITTED_WORK_LOST'])
  })

  test('what a savepoint of the holder from after it takes back was not lost', async () => {
    const [outer, inner] = await two()
    await ok(outer, 'begin; insert into parents values (3)')
    await ok(inner, 'insert into parents values (4)')
    await ok(outer, 'savepoint a; insert into parents values (5); rollback to a; commit')
    expect(await parents(inner)).toEqual(['3', '4'])
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('a released savepoint of the holder passes it on to what is around', async () => {
    const [outer, inner] = await two()
    await ok(outer, 'begin; savepoint a; savepoint b; insert into parents values (3)')
    await ok(inner, 'insert into parents values (4)')
    await ok(outer, 'release b')
    await ok(outer, 'rollback to a')
    await ok(outer, 'commit')
    expect(await closeCodes(sandbox)).toEqual(['COMMITTED_WORK_LOST'])
  })

  test('three deep, the outermost rollback loses what the innermost committed', async () => {
    const [first, second, third] = await three()
    await ok(first, 'begin; insert into parents values (3)')
    await ok(second, 'begin')
    await ok(second, 'insert into parents values (4)')
    await ok(third, 'insert into parents values (5)')
    await ok(second, 'commit')
    await ok(first, 'rollback')
    const error = await closeError(sandbox)
    expect(error?.errors).toMatchObject([{ code: 'COMMITTED_WORK_LOST' }])
    expect(error?.message).toContain('values (5)')
    expect(error?.message).toContain('values (4)')
  })
})

describe('a holder that has failed', () => {
  test('gives the session up at once: what others do survives its ROLLBACK', async () => {
    const [failing, other] = await two()
    await ok(failing, 'begin; insert into parents values (3)')
    await queryError(failing, 'select 1 / 0')
    await ok(other, `insert into audited values (1, 'it failed')`)
    await ok(failing, 'rollback')
    expect(rowsOf(await other.query('select value from audited'))).toEqual([['it failed']])
    expect(await parents(other)).toEqual([])
    expect(kinds()).toEqual([])
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('with pg: the audit log written in the catch survives', async () => {
    const clients = pool(5)
    const client = await clients.connect()
    await client.query('BEGIN')
    await client.query('insert into parents values (3)')
    await client.query('insert into parents values (3)').catch(async () => {
      await clients.query(`insert into audited values (1, 'duplicate')`)
    })
    await client.query('ROLLBACK')
    client.release()
    const { rows } = await clients.query(
      'select (select count(*)::int from parents) as p, (select value from audited) as a',
    )
    expect(rows).toEqual([{ p: 2, a: 'duplicate' }])
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('gets the server’s own refusals until its ROLLBACK, also after others have worked', async () => {
    const [failing, other] = await two()
    await ok(failing, `set timezone = 'Asia/Tokyo'`)
    await ok(failing, 'begin')
    await queryError(failing, 'select 1 / 0')
    for (const text of ['select 1', 'savepoint a', 'insert into parents values (9)']) {
      await ok(other, 'select 1')
      const answers = await failing.query(text)
      expect(errorOf(answers)).toMatchObject({ C: '25P02' })
      expect(statusOf(answers)).toBe('E')
    }
    failing.send(parse('select 1'), bind(), execute(), sync())
    const answers = await failing.until('Z')
    expect(errorOf(answers)).toMatchObject({ C: '25P02' })
    await ok(other, 'insert into parents values (4)')
    expect(rowsOf(await failing.query('rollback; show timezone'))).toEqual([['Asia/Tokyo']])
    expect(await parents(failing)).toEqual(['4'])
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('with a savepoint: others run inside, it is failed again when it goes on, and can go back to its savepoint', async () => {
    const [failing, other] = await two()
    await ok(failing, 'begin; insert into parents values (3); savepoint a; insert into parents values (4)')
    await queryError(failing, 'select 1 / 0')
    await ok(other, 'insert into parents values (5)')
    expect((await queryError(failing, 'select 1'))['C']).toBe('25P02')
    await ok(other, 'select 1')
    await ok(failing, 'rollback to a')
    await ok(failing, 'insert into parents values (6)')
    await ok(failing, 'rollback to a')
    await ok(failing, 'commit')
    expect(await parents(other)).toEqual(['3', '5'])
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('left open at the end it is reported, whoever has the session', async () => {
    const [failing, other] = await two()
    await ok(failing, 'begin read write')
    await queryError(failing, 'select 1 / 0')
    await ok(other, 'select 1')
    const error = await closeError(sandbox)
    expect(error?.errors).toMatchObject([{ code: 'TRANSACTION_LEFT_OPEN' }])
    expect(error?.message).toContain('begin read write')
    expect(errorOf(await failing.untilClosed())?.['S']).toBe('FATAL')
  })

  test('what it had set is undone for its client, too, whoever has used the session since', async () => {
    const [failing, other] = await two()
    const zone = rowsOf(await failing.query('show timezone'))[0]?.[0]
    await ok(failing, `begin; set timezone = 'Asia/Tokyo'; set local app.owner = 'alice'`)
    const answers = await failing.query('select 1 / 0')
    expect(answers.map(({ code }) => code)).toEqual(['E', 'S', 'Z'])
    await ok(other, 'select 1')
    expect((await failing.query('rollback')).map(({ code }) => code)).toEqual(['C', 'Z'])
    expect(rowsOf(await failing.query('show timezone'))).toEqual([[zone]])
    expect(rowsOf(await failing.query('select owner from secrets'))).toEqual([])
  })
})

describe('waits that end', () => {
  test('two that wait for each other: an error names both connections, both statements and the remedy', async () => {
    const [outer, inner] = await two()
    await ok(outer, 'begin read write')
    await ok(outer, 'insert into parents values (3)')
    await ok(inner, 'begin isolation level read committed')
    await ok(inner, 'insert into parents values (4)')
    const answers = await outer.query('select 1 /* of the outer one */')
    expect(statusOf(answers)).toBe('E')
    const error = errorOf(answers) ?? {}
    expect(error['C']).toBe('55P03')
    expect(error['M']).toContain('CONNECTION_WAIT_TIMEOUT')
    const words = wordsOf(error)
    for (const part of [
      'select 1 /* of the outer one */',
      'begin read write',
      'insert into parents values (4)',
      'begin isolation level read committed',
      'waited 400 ms',
      'isolation \\"database\\"',
    ]) {
      expect(words).toContain(part)
    }
    await ok(outer, 'rollback')
    await ok(inner, 'commit')
    expect(await parents(outer)).toEqual([])
    expect(await closeCodes(sandbox)).toEqual(['COMMITTED_WORK_LOST'])
  })

  test('two that wait for each other, the outer one has a savepoint: it goes back to it', async () => {
    const [outer, inner] = await two()
    await ok(outer, 'begin; insert into parents values (3); savepoint a')
    await ok(inner, 'begin; insert into parents values (4)')
    expect((await queryError(outer, 'select 1'))['C']).toBe('55P03')
    await ok(inner, 'rollback')
    expect((await queryError(outer, 'select 1'))['C']).toBe('25P02')
    await ok(outer, 'rollback to a; insert into parents values (5); commit')
    expect(await parents(inner)).toEqual(['3', '5'])
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('with pg: each holds a transaction and awaits the other', async () => {
    const clients = pool(5)
    const [one, other] = [await clients.connect(), await clients.connect()]
    await one.query('BEGIN')
    await one.query('insert into parents values (3)')
    await other.query('BEGIN')
    await other.query('insert into parents values (4)')
    await expect(one.query('insert into parents values (5)')).rejects.toMatchObject({ code: '55P03' })
    await other.query('COMMIT')
    await one.query('ROLLBACK')
    one.release()
    other.release()
    expect(await closeCodes(sandbox)).toEqual(['COMMITTED_WORK_LOST'])
  })

  test.each<[string, Buffer[], string, Buffer[]]>([
    ['in the middle of a copy', [query('copy parents from stdin')], 'G', [copyData('3\tx\n'), copyDone()]],
    ['in the middle of a unit', [parse('select 1'), bind(), execute(), flush()], 'C', [sync()]],
  ])('one that waits for a holder %s gets an error, and the holder goes on', async (_where, messages, until, rest) => {
    const [holder, waiting] = await two()
    holder.send(...messages)
    await holder.until(until)
    const error = await queryError(waiting, 'select 2')
    expect(error['C']).toBe('55P03')
    expect(error['D']).toMatch(/waits for its client/)
    holder.send(...rest)
    expect(errorOf(await holder.until('Z'))).toBeUndefined()
    await ok(waiting, 'select 2')
  })

  test('a holder whose client does not read its rows holds the others up for a while only', async () => {
    const [holder, waiting] = await two()
    holder.socket.pause()
    holder.send(query(`select repeat('x', 1000) from generate_series(1, 15000)`))
    const error = await queryError(waiting, 'select 2')
    expect(error['C']).toBe('55P03')
    holder.socket.resume()
    expect(errorOf(await holder.until('Z'))).toBeUndefined()
  })

  test('a statement that waits to go on can be cancelled, and its transaction has failed', async () => {
    const [outer, inner] = await two()
    await ok(outer, 'begin; insert into parents values (3)')
    await ok(inner, 'begin; insert into parents values (4)')
    outer.send(query('select 1'))
    await cancel(vivarium.postgres.url, outer)
    const answers = await outer.until('Z')
    expect(errorOf(answers)?.['C']).toBe('57014')
    expect(statusOf(answers)).toBe('E')
    await ok(inner, 'rollback')
    await ok(outer, 'rollback')
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('a statement that the server is busy with is waited for, however long it takes', async () => {
    const [holder, waiting] = await two()
    holder.send(query('select pg_sleep(1)'))
    expect(errorOf(await waiting.query('select 1'))).toBeUndefined()
    await holder.until('Z')
    expect(kinds()).toEqual([])
  })
})

describe('connections that go away', () => {
  test('one that waits', async () => {
    const [holder, waiting, next] = await three()
    await ok(holder, 'begin; insert into parents values (3)')
    await ok(next, 'begin; insert into parents values (4)')
    waiting.send(query('insert into parents values (5)'))
    waiting.socket.destroy()
    await ok(next, 'commit')
    await ok(holder, 'commit')
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('one that is nested takes its own work along', async () => {
    const [outer, inner] = await two()
    await ok(outer, 'begin; insert into parents values (3)')
    await ok(inner, 'begin; insert into parents values (4)')
    await inner.vanish()
    expect(await parents(outer)).toEqual(['3'])
    await ok(outer, 'commit')
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('one that another is nested in: that one goes on, and what it commits is lost and said to be', async () => {
    const [outer, inner, third] = await three()
    await ok(outer, 'begin; insert into parents values (3)')
    await ok(inner, 'begin; insert into parents values (4)')
    await outer.vanish()
    await ok(inner, 'insert into parents values (5)')
    await ok(inner, 'commit')
    expect(await parents(third)).toEqual([])
    expect(await closeCodes(sandbox)).toEqual(['COMMITTED_WORK_LOST'])
  })

  test('one that another is nested in, and waits to go on', async () => {
    const [outer, inner, third] = await three()
    await ok(outer, 'begin; insert into parents values (3)')
    await ok(inner, 'begin; insert into parents values (4)')
    outer.send(query('select 1'))
    await outer.vanish()
    await ok(inner, 'rollback')
    expect(await parents(third)).toEqual([])
    expect(await closeCodes(sandbox)).toEqual([])
  })
})

describe('the end of the sandbox', () => {
  test('all that is open is reported, nested ones and those that wait too, and the next sandbox is well', async () => {
    const [first, second, third] = await three()
    await ok(first, 'begin; insert into parents values (3)')
    await ok(second, 'begin; insert into parents values (4)')
    first.send(query(`select 'waits to go on'`))
    await cancel(vivarium.postgres.url, third)
    const error = await closeError(sandbox)
    expect(error?.errors.map((one: { code?: string }) => one.code).toSorted()).toEqual([
      'STATEMENT_STILL_RUNNING',
      'TRANSACTION_LEFT_OPEN',
    ])
    expect(error?.message).toContain('waits to go on')
    await Promise.all([first.untilClosed(), second.untilClosed()])
    sandbox = await vivarium.openSandbox()
    expect(await parents(third)).toEqual([])
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('a nested one that is running is cancelled, and what it is nested in is reported', async () => {
    const [first, second] = await two()
    await ok(first, 'begin; insert into parents values (3)')
    second.send(query(`do $$ begin raise notice 'running'; perform pg_sleep(60); end $$`))
    await second.until('N')
    const codes = await closeCodes(sandbox)
    expect(codes.toSorted()).toEqual(['STATEMENT_STILL_RUNNING', 'TRANSACTION_LEFT_OPEN'])
    sandbox = await vivarium.openSandbox()
    const [next] = await connections(1)
    expect(await parents(next as WireConnection)).toEqual([])
  })

  test('a sandbox opens inside another whose connections ran inside each other before', async () => {
    const [outer, inner] = await two()
    await ok(outer, 'begin; insert into parents values (3)')
    await ok(inner, 'begin; insert into parents values (4)')
    await ok(inner, 'rollback')
    await ok(outer, 'commit')
    const nested = await vivarium.openSandbox({ within: sandbox })
    await ok(outer, 'begin; insert into parents values (5)')
    await ok(inner, 'insert into parents values (6)')
    await ok(outer, 'commit')
    expect(await parents(outer)).toEqual(['3', '5', '6'])
    expect(await closeCodes(nested)).toEqual([])
    expect(await parents(inner)).toEqual(['3'])
    expect(await closeCodes(sandbox)).toEqual([])
  })
})

describe('clocks', () => {
  test('fake timers of the test stop neither a nested one nor an error', async () => {
    const [outer, inner, third] = await three()
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'setImmediate', 'Date', 'performance'] })
    onTestFinished(() => void vi.useRealTimers())
    const say = (connection: WireConnection, text: string): Promise<string> =>
      new Promise((resolve) => {
        connection.socket.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1')))
        connection.send(query(text))
      })
    await say(outer, 'begin; insert into parents values (3)')
    await say(inner, 'begin; insert into parents values (4)')
    expect(await say(outer, 'select 1')).toContain('55P03')
    await say(inner, 'rollback')
    expect(await say(third, 'select 12345')).toContain('12345')
  })

  test('a blocked event loop counts for nothing: no statement runs nested or is given up because of it', async () => {
    const [outer, inner, third] = await three()
    await ok(outer, 'begin; insert into parents values (3)')
    third.send(query('select 1'))
    await gatewayHasRead()
    block(1500)
    await timersHaveRun()
    outer.send(query('commit'))
    expect(errorOf(await outer.until('Z'))).toBeUndefined()
    expect(errorOf(await third.until('Z'))).toBeUndefined()
    expect(kinds()).toEqual([])
    await ok(outer, 'begin; insert into parents values (4)')
    await ok(inner, 'begin; insert into parents values (5)')
    outer.send(query('select 1'))
    await gatewayHasRead()
    block(1500)
    await timersHaveRun()
    inner.send(query('commit'))
    expect(errorOf(await inner.until('Z'))).toBeUndefined()
    expect(errorOf(await outer.until('Z'))).toBeUndefined()
    await ok(outer, 'commit')
  })
})
