import { describe, expect, test } from 'vitest'
import { isolations } from '../support/isolations.ts'
import { inSandbox, useVivarium } from '../support/vivarium.ts'
import { bind, errorOf, execute, parse, rowsOf, run, sync, tagsOf, type WireConnection } from '../support/wire.ts'

const vivarium = useVivarium()

/** A statement's rows, or the SQLSTATE of its error. */
async function say(connection: WireConnection, text: string): Promise<unknown> {
  const answers = await connection.query(text)
  return errorOf(answers)?.['C'] ?? rowsOf(answers)
}

describe.each(isolations)('what a transaction is like, isolation %s', (isolation) => {
  const warned = isolation === 'transaction' ? ['transaction-isolation'] : []

  test('the isolation level that was asked for is shown, in its transaction only', async () => {
    await inSandbox(
      vivarium,
      async (connection, sandbox) => {
        await connection.query('begin isolation level serializable')
        expect(await say(connection, 'show transaction_isolation')).toEqual([['serializable']])
        connection.send(run('show transaction isolation level'), sync())
        const answers = await connection.until('Z')
        expect(rowsOf(answers)).toEqual([['serializable']])
        expect(tagsOf(answers)).toEqual(['SHOW'])
        expect(await say(connection, `select current_setting('transaction_isolation')`)).toEqual([['serializable']])
        await connection.query('commit')
        expect(await say(connection, 'show transaction_isolation')).toEqual([['read committed']])
        expect(sandbox.queries.filter(({ command }) => command === 'SHOW')).toHaveLength(3)
        expect(sandbox.fidelityWarnings.map(({ kind }) => kind)).toEqual(warned)
      },
      { isolation },
    )
  })

  test('a default of the session is the level of its transactions, and is said once a transaction has it', async () => {
    await inSandbox(
      vivarium,
      async (connection, sandbox) => {
        await connection.query('set session characteristics as transaction isolation level repeatable read')
        expect(await say(connection, 'show default_transaction_isolation')).toEqual([['repeatable read']])
        expect(await say(connection, 'begin; show transaction_isolation')).toEqual([['repeatable read']])
        await connection.query('commit')
        expect(sandbox.fidelityWarnings.some(({ text }) => text === 'begin')).toBe(warned.length > 0)
      },
      { isolation },
    )
  })

  test('READ ONLY refuses writes, and ends with its transaction', async () => {
    await inSandbox(
      vivarium,
      async (connection) => {
        for (const begin of [
          'begin read only',
          'begin; set transaction read only',
          'begin; savepoint a; set transaction read only',
        ]) {
          await connection.query(begin)
          expect(await say(connection, 'insert into parents values (3)'), begin).toBe('25006')
          await connection.query('rollback')
          await connection.query(`${begin}; select 1; commit`)
          expect(await say(connection, 'insert into parents values (3) returning id'), begin).toEqual([['3']])
          await connection.query('delete from parents where id = 3')
        }
        expect(await say(connection, 'set transaction read only; insert into parents values (3)')).toBe('25006')
        expect(await say(connection, 'insert into parents values (3) returning id')).toEqual([['3']])
      },
      { isolation },
    )
  })

  test('what a READ ONLY transaction may leave behind stays: temporary rows, cursors WITH HOLD', async () => {
    await inSandbox(
      vivarium,
      async (connection) => {
        await connection.query('create temp table scratch (id integer)')
        await connection.query('begin read only; insert into scratch values (1)')
        await connection.query('declare held cursor with hold for select id from items order by id; commit')
        expect(await say(connection, 'select * from scratch')).toEqual([['1']])
        expect(await say(connection, 'fetch 1 from held')).toEqual([['1']])
      },
      { isolation },
    )
  })

  test('AND CHAIN goes on read-only and at the same level, in a pipeline too', async () => {
    await inSandbox(
      vivarium,
      async (connection) => {
        await connection.query('begin isolation level serializable read only')
        connection.send(
          run('commit and chain'),
          run('show transaction_isolation'),
          parse('insert into parents values (3)'),
        )
        connection.send(bind(), execute(), sync())
        const answers = await connection.until('Z')
        expect(rowsOf(answers)).toEqual([['serializable']])
        expect(errorOf(answers)?.['C']).toBe('25006')
        await connection.query('rollback')
      },
      { isolation },
    )
  })
})

test('READ ONLY that comes too late in a Query, outside a transaction, is said and not enforced', async () => {
  await inSandbox(vivarium, async (connection, sandbox) => {
    expect(await say(connection, 'insert into parents values (3); set transaction read only; select 1')).toEqual([
      ['1'],
    ])
    expect(await say(connection, 'select id from parents where id = 3')).toEqual([['3']])
    expect(sandbox.fidelityWarnings.map(({ kind }) => kind)).toEqual(['transaction-read-only'])
  })
})
