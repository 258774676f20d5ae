import { expect, test } from 'vitest'
import { closeCodes, closeError, inEveryClone, inSandbox, useVivarium } from '../support/vivarium.ts'
import {
  bind,
  cancel,
  connect,
  copyData,
  errorOf,
  execute,
  flush,
  parse,
  query,
  rowsOf,
  run,
  sync,
} from '../support/wire.ts'

const vivarium = useVivarium({ waitMs: 400 })

async function nextSandboxIsUnaffected(): Promise<void> {
  await inSandbox(vivarium, async (connection) => {
    expect(rowsOf(await connection.query('select count(*) from parents'))).toEqual([['2']])
    expect(errorOf(await connection.query('begin; insert into parents values (3); commit'))).toBeUndefined()
  })
  expect(await inEveryClone(vivarium, 'select id from parents where id > 2')).toEqual([])
}

test('a transaction left open at close is reported with where it began, and its connection is terminated', async () => {
  const sandbox = await vivarium.openSandbox({ title: 'leaky' })
  const connection = await connect(vivarium.postgres.url)
  await connection.query('select 1')
  await connection.query('BEGIN ISOLATION LEVEL READ COMMITTED')
  await connection.query('insert into parents values (3)')
  const error = await closeError(sandbox)
  expect(error?.errors.map((one: { code?: string }) => one.code)).toEqual(['TRANSACTION_LEFT_OPEN'])
  expect(error?.message).toContain('BEGIN ISOLATION LEVEL READ COMMITTED')
  expect(errorOf(await connection.untilClosed())?.['S']).toBe('FATAL')
  await nextSandboxIsUnaffected()
})

test('a failed transaction left open is reported too', async () => {
  const sandbox = await vivarium.openSandbox()
  const connection = await connect(vivarium.postgres.url)
  await connection.query('begin')
  await connection.query('select 1 / 0')
  expect(await closeCodes(sandbox)).toEqual(['TRANSACTION_LEFT_OPEN'])
  await connection.untilClosed()
  await nextSandboxIsUnaffected()
})

test('a statement still running at close is reported, ended, and its connection terminated', async () => {
  const sandbox = await vivarium.openSandbox()
  const connection = await connect(vivarium.postgres.url)
  connection.send(query(`do $$ begin raise notice 'running'; perform pg_sleep(60) /* the slow one */; end $$`))
  await connection.until('N')
  const error = await closeError(sandbox)
  expect(error?.errors.map((one: { code?: string }) => one.code)).toEqual(['STATEMENT_STILL_RUNNING'])
  expect(error?.message).toContain('the slow one')
  await connection.untilClosed()
  await nextSandboxIsUnaffected()
  const running = await inEveryClone(
    vivarium,
    `select 1 from pg_stat_activity where query like '%the slow one%' and state = 'active' and pid <> pg_backend_pid()`,
  )
  expect(running).toEqual([])
})

// To undo three hundred tables takes the server a moment, in which the client has the error already.
const failsSlowly = `do $$ begin
  for i in 1..300 loop execute format('create table t%s (id int primary key)', i); end loop;
  raise 'failed';
end $$`

test.each<[string, Buffer[], string]>([
  ['an extended unit that failed', [run(failsSlowly), sync()], 'E'],
  ['a query that failed', [query(failsSlowly)], 'E'],
  // After a change of the schema the gateway reads the deferred constraints again.
  ['a change of the schema', [query('create table t (id int)')], 'Z'],
])('%s, of which the client has been told, is not running any more at close', async (_, messages, answer) => {
  const sandbox = await vivarium.openSandbox()
  const connection = await connect(vivarium.postgres.url)
  connection.send(...messages)
  await connection.until(answer)
  expect(await closeCodes(sandbox)).toEqual([])
  if (answer !== 'Z') await connection.until('Z')
  await nextSandboxIsUnaffected()
  expect(errorOf(await inSandbox(vivarium, () => connection.query('select 1')))).toBeUndefined()
  await connection.end()
})

test.each<[string, Buffer[], string]>([
  ['in the middle of a copy', [query('copy parents from stdin'), copyData('3\tx\n')], 'G'],
  ['in the middle of a unit, after Flush', [run('insert into parents values (3)'), flush()], 'C'],
  ['in the middle of a unit that failed', [run('select 1 / 0'), flush()], 'E'],
  ['with a portal suspended in a unit', [parse('select generate_series(1, 9)'), bind(), execute('', 2), flush()], 's'],
  ['in the middle of a copy under Flush', [run('copy parents from stdin'), flush()], 'G'],
])('a connection %s at close leaves nothing behind', async (_where, messages, until) => {
  const sandbox = await vivarium.openSandbox()
  const connection = await connect(vivarium.postgres.url)
  connection.send(...messages)
  await connection.until(until)
  expect(await closeCodes(sandbox)).toHaveLength(1)
  await connection.untilClosed()
  await nextSandboxIsUnaffected()
})

test('everything that leaked is reported, not only the first', async () => {
  const sandbox = await vivarium.openSandbox()
  const holder = await connect(vivarium.postgres.url)
  const waiting = await connect(vivarium.postgres.url)
  await holder.query('begin')
  waiting.send(query(`select 'still waiting for its turn'`))
  // The answer to a cancel request for another connection comes after the gateway has read what was sent before it.
  await cancel(vivarium.postgres.url, holder)
  const codes = await closeCodes(sandbox)
  expect(codes.toSorted()).toEqual(['STATEMENT_STILL_RUNNING', 'TRANSACTION_LEFT_OPEN'])
  holder.socket.destroy()
  waiting.socket.destroy()
  await nextSandboxIsUnaffected()
})

test('a connection that is idle at close is no leak and stays open', async () => {
  const sandbox = await vivarium.openSandbox()
  const connection = await connect(vivarium.postgres.url)
  await connection.query('begin; commit')
  expect(await closeCodes(sandbox)).toEqual([])
  const next = await vivarium.openSandbox()
  expect(rowsOf(await connection.query('select 1'))).toEqual([['1']])
  await connection.end()
  await next.close()
})

test('a second connection waits while the first has a transaction that does nothing, then runs inside of it and says so', async () => {
  const sandbox = await vivarium.openSandbox()
  const [first, second] = [await connect(vivarium.postgres.url), await connect(vivarium.postgres.url)]
  await first.query('begin read write; insert into parents values (3)')
  expect(rowsOf(await second.query('select count(*) from parents'))).toEqual([['3']])
  expect(sandbox.fidelityWarnings).toMatchObject([{ kind: 'nested-connection' }])
  await first.query('commit')
  expect(rowsOf(await second.query('select 1'))).toEqual([['1']])
  await first.end()
  await second.end()
  await sandbox.close()
})

test('a second connection goes on as soon as the first one commits, rolls back, or vanishes', async () => {
  await inSandbox(vivarium, async (second) => {
    for (const ending of ['commit', 'rollback', undefined]) {
      const first = await connect(vivarium.postgres.url)
      await first.query('begin; insert into parents values (3)')
      second.send(query('delete from parents where id = 3'))
      if (ending === undefined) await first.vanish()
      else await first.query(ending)
      const answers = await second.until('Z')
      expect(errorOf(answers), `after ${ending}`).toBeUndefined()
      if (ending !== undefined) await first.end()
    }
  })
})

test('a portal left suspended outside a transaction holds nobody up', async () => {
  await inSandbox(vivarium, async (first) => {
    const second = await connect(vivarium.postgres.url)
    first.send(parse('select generate_series(1, 9)'), bind(), execute('', 2), sync())
    await first.until('Z')
    expect(rowsOf(await second.query('select 1'))).toEqual([['1']])
    await second.end()
  })
})

test('closing twice is the same as closing once', async () => {
  const sandbox = await vivarium.openSandbox()
  const connection = await connect(vivarium.postgres.url)
  await connection.query('begin')
  expect(await closeCodes(sandbox)).toEqual(['TRANSACTION_LEFT_OPEN'])
  expect(await closeCodes(sandbox)).toEqual([])
  connection.socket.destroy()
})
