import { expect, test } from 'vitest'
import { closeCodes, inEveryClone, inSandbox, useVivarium } from '../support/vivarium.ts'
import {
  connect,
  copyData,
  copyDone,
  countReadyForQuery,
  describeStatement,
  dial,
  errorOf,
  execute,
  bind,
  parse,
  passwordMessage,
  query,
  readUrl,
  rowsOf,
  run,
  startup,
  statusOf,
  sync,
} from '../support/wire.ts'

const vivarium = useVivarium()

/** Rows that a test wrote and that a clone really has, which must be none, whatever was done. */
const strayRows = `select id from parents where id > 2 union all select id from nodes union all select 0 where to_regclass('stray') is not null`

const waysToCommit: readonly (readonly Buffer[])[] = [
  [query('insert into parents values (100)')],
  [query('begin'), query('insert into parents values (100)'), query('commit')],
  [query('begin; insert into parents values (100); commit')],
  [query('insert into parents values (100); commit; insert into parents values (101)')],
  [query('insert into parents values (100); commit; begin; insert into parents values (101)')],
  [query('commit; commit; insert into parents values (100); commit and chain')],
  [query('begin; insert into parents values (100); commit and chain; insert into parents values (101); end')],
  [
    query('begin'),
    query('insert into parents values (100); commit; selec'),
    query('commit; insert into parents values (102)'),
  ],
  [query('rollback; insert into parents values (100); rollback; begin; rollback; insert into parents values (101)')],
  [
    run('begin'),
    run('insert into parents values (100)'),
    run('commit'),
    run('insert into parents values (101)'),
    sync(),
  ],
  [
    run('begin'),
    sync(),
    run('select 1 / 0'),
    sync(),
    run('commit'),
    sync(),
    run('insert into parents values (101)'),
    sync(),
  ],
  [
    query('start transaction isolation level serializable'),
    query('insert into parents values (100)'),
    query('end transaction'),
  ],
  [query('create table stray (id integer)'), query('insert into stray values (1)'), query('commit')],
  [query('do $$ begin insert into parents values (100); commit; insert into parents values (101); end $$')],
  [
    query(`prepare transaction 'x'`),
    query(`begin; insert into parents values (100); prepare transaction 'x'`),
    query('rollback'),
  ],
  [query('/* ; */ commit /* ; */; -- ;\ninsert into parents values (100); EnD')],
  [
    parse('commit', 'c'),
    sync(),
    query('insert into parents values (100)'),
    bind({ statement: 'c' }),
    execute(),
    sync(),
  ],
  [query('prepare p as insert into parents values (100)'), query('execute p; commit'), query('deallocate p')],
  [query('set default_transaction_read_only = off'), query('insert into parents values (100)'), query('commit')],
  [
    query('reset all'),
    query('discard all'),
    query('set session characteristics as transaction read write'),
    query('insert into parents values (100)'),
  ],
  [
    query('savepoint vivarium_unit'),
    query('begin; release vivarium_unit; insert into parents values (100); commit'),
    query('rollback'),
  ],
  [query('begin; rollback to vivarium_unit; commit; insert into parents values (101)'), query('rollback')],
]

test('nothing ever commits for real, whatever the client sends', async () => {
  for (const way of waysToCommit) {
    const text = Buffer.concat(way)
      .toString('latin1')
      .replaceAll(/[^\x20-\x7e]+/g, ' ')
    const sandbox = await vivarium.openSandbox({ title: text })
    const connection = await connect(vivarium.postgres.url)
    for (const bytes of way) {
      connection.send(bytes)
      const owed = countReadyForQuery(bytes)
      if (owed > 0) await connection.until('Z', owed)
    }
    if (statusOf(await connection.query('rollback')) !== 'I') throw new Error(`not idle after ${text}`)
    await connection.end()
    expect(await closeCodes(sandbox), text).toEqual([])
    expect(await inEveryClone(vivarium, strayRows), text).toEqual([])
  }
})

test('while a sandbox is open, what it has committed is invisible to the server', async () => {
  await inSandbox(vivarium, async (connection) => {
    await connection.query('begin; insert into parents values (100); commit')
    expect(rowsOf(await connection.query('select id from parents where id = 100'))).toEqual([['100']])
    expect(await inEveryClone(vivarium, strayRows)).toEqual([])
  })
})

test('the next sandbox starts from the template again, schema included', async () => {
  await inSandbox(vivarium, async (connection) => {
    await connection.query(
      'drop table items cascade; alter table parents drop column name; create table stray (id integer)',
    )
    expect(errorOf(await connection.query('select * from items'))?.['C']).toBe('42P01')
  })
  await inSandbox(vivarium, async (connection) => {
    expect(rowsOf(await connection.query('select count(*) from items'))).toEqual([['3']])
    expect(rowsOf(await connection.query('select name from parents where id = 1'))).toEqual([['one']])
    expect(errorOf(await connection.query('select * from stray'))?.['C']).toBe('42P01')
  })
})

test('a sandbox nested in another takes away only its own work, and its parent goes as a whole', async () => {
  const outer = await vivarium.openSandbox({ title: 'file' })
  const connection = await connect(vivarium.postgres.url)
  await connection.query(`insert into items (name) values ('from the file')`)
  for (const round of [1, 2]) {
    const inner = await vivarium.openSandbox({ title: `test ${round}`, within: outer })
    expect(rowsOf(await connection.query(`insert into items (name) values ('from the test') returning id`))).toEqual([
      ['5'],
    ])
    expect(rowsOf(await connection.query('select count(*) from items'))).toEqual([['5']])
    await inner.close()
    expect(rowsOf(await connection.query('select count(*) from items'))).toEqual([['4']])
  }
  await connection.end()
  await outer.close()
  await inSandbox(vivarium, async (next) => {
    expect(rowsOf(await next.query('select count(*) from items'))).toEqual([['3']])
  })
})

/** Each message, and whether the server is ready again when it has taken it. */
const steps: readonly (readonly [Buffer, boolean])[] = [
  [query('insert into parents values (200)'), true],
  [run('insert into parents values (201)'), false],
  [sync(), true],
  [query('begin'), true],
  [query('insert into parents values (300)'), true],
  [query('savepoint a; insert into parents values (301)'), true],
  [query('copy parents from stdin'), false],
  [copyData('302\tx\n'), false],
  [copyDone(), true],
  [parse('insert into parents values ($1)', 'named'), false],
  [describeStatement('named'), false],
  [bind({ statement: 'named', values: ['303'] }), false],
  [execute(), false],
  [sync(), true],
  [query('select 1 / 0'), true],
]
const conversation = Buffer.concat(steps.map(([bytes]) => bytes))

/** How many ReadyForQuery are owed to a client that has sent so many bytes. */
function owedAfter(length: number): number {
  let end = 0
  let owed = 0
  for (const [bytes, isReady] of steps) {
    end += bytes.length
    if (isReady && end <= length) owed += 1
  }
  return owed
}

test('a client that vanishes after any byte takes its open transaction with it and leaves the sandbox working', async () => {
  const sandbox = await vivarium.openSandbox()
  const watcher = await connect(vivarium.postgres.url)
  for (let cut = 0; cut <= conversation.length; cut += 1) {
    const client = await connect(vivarium.postgres.url)
    client.send(conversation.subarray(0, cut))
    // Some close properly (FIN after the bytes), some are reset at once with answers unread, and some only when all that
    // they have sent has run.
    if (cut % 3 === 0) client.socket.end()
    else if (cut % 3 === 1) client.socket.resetAndDestroy()
    else {
      const owed = owedAfter(cut)
      if (owed > 0) await client.until('Z', owed)
      client.socket.end()
    }
    const rows = rowsOf(await watcher.query('select id from parents where id >= 300'))
    expect(rows, `cut after byte ${cut}`).toEqual([])
    const answers = await watcher.query('delete from parents where id >= 200; select 1')
    expect(statusOf(answers), `cut after byte ${cut}`).toBe('I')
    expect(rowsOf(answers)).toEqual([['1']])
    client.socket.destroy()
  }
  await watcher.end()
  expect(await closeCodes(sandbox)).toEqual([])
  expect(await inEveryClone(vivarium, strayRows)).toEqual([])
}, 120_000)

test('a client that vanishes during its start-up disturbs nothing', async () => {
  const { user, password, database } = readUrl(vivarium.postgres.url)
  const opening = Buffer.concat([startup({ user, database }), passwordMessage(password)])
  await inSandbox(vivarium, async (watcher, sandbox) => {
    await watcher.query('begin; insert into parents values (200)')
    for (let cut = 0; cut <= opening.length; cut += 1) {
      const client = await dial(vivarium.postgres.url)
      client.send(opening.subarray(0, cut))
      // By turns: closed properly, and reset when the gateway may still be about to answer.
      if (cut % 2 === 0) client.socket.end()
      else client.socket.resetAndDestroy()
      const answers = await watcher.query('select id from parents where id >= 200')
      expect(rowsOf(answers), `cut after byte ${cut}`).toEqual([['200']])
      expect(statusOf(answers), `cut after byte ${cut}`).toBe('T')
      client.socket.destroy()
    }
    await watcher.query('commit')
    const next = await connect(vivarium.postgres.url)
    expect(rowsOf(await next.query('select id from parents where id >= 200'))).toEqual([['200']])
    await next.end()
    expect(sandbox.fidelityWarnings).toEqual([])
  })
})
