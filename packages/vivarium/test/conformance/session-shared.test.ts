import { describe, expect, test } from 'vitest'
import { isolations } from '../support/isolations.ts'
import { inSandbox, useVivarium } from '../support/vivarium.ts'
import { connect, errorOf, rowsOf, run, sync, type WireConnection } from '../support/wire.ts'

const vivarium = useVivarium()

/** A statement's rows, or the SQLSTATE of its error. */
async function say(connection: WireConnection, text: string): Promise<unknown> {
  const answers = await connection.query(text)
  return errorOf(answers)?.['C'] ?? rowsOf(answers)
}

const advisoryLocks = `select objid from pg_locks where locktype = 'advisory'
  and database = (select oid from pg_database where datname = current_database()) order by objid`

describe.each(isolations)('what ends with its connection, isolation %s', (isolation) => {
  test.each(['says goodbye', 'vanishes'])('advisory locks of the session, when it %s', async (how) => {
    await inSandbox(
      vivarium,
      async (connection) => {
        await connection.query('select pg_advisory_lock(7)')
        const leaver = await connect(vivarium.postgres.url)
        await leaver.query('select pg_advisory_lock(1), pg_advisory_lock(1), pg_try_advisory_lock_shared(2, 3)')
        leaver.send(run('select pg_advisory_lock($1)', ['4']), sync())
        await leaver.until('Z')
        await leaver.query('select pg_advisory_lock(5); select pg_advisory_unlock(5)')
        expect(await say(connection, advisoryLocks)).toEqual([['1'], ['3'], ['4'], ['7']])
        await (how === 'vanishes' ? leaver.vanish() : leaver.end())
        await expect.poll(() => say(connection, advisoryLocks), { timeout: 5000 }).toEqual([['7']])
        expect(await say(connection, 'select pg_advisory_unlock(7)')).toEqual([['t']])
      },
      { isolation },
    )
  })

  test('a lock whose key is computed, when no other connection has one', async () => {
    await inSandbox(
      vivarium,
      async (connection) => {
        const leaver = await connect(vivarium.postgres.url)
        await leaver.query(`select pg_advisory_lock(hashtext('job'))`)
        await leaver.end()
        await expect.poll(() => say(connection, advisoryLocks), { timeout: 5000 }).toEqual([])
      },
      { isolation },
    )
  })

  test('descriptors of large objects, with their transaction', async () => {
    await inSandbox(
      vivarium,
      async (connection) => {
        const oid = Number(rowsOf(await connection.query(`select lo_from_bytea(0, 'words')`))[0]?.[0])
        await connection.query('begin')
        expect(await say(connection, `select lo_open(${oid}, 262144)`)).toEqual([['0']])
        expect(await say(connection, 'savepoint a; release a; select loread(0, 3)')).toEqual([['\\x776f72']])
        await connection.query('commit')
        expect(await say(connection, 'select loread(0, 3)')).toBe('42704')
        expect(await say(connection, `select lo_open(${oid}, 262144)`)).toEqual([['0']])
        expect(await say(connection, 'select loread(0, 3)')).toBe('42704')
        expect(await say(connection, `begin; select lo_open(${oid}, 262144); rollback; select loread(0, 3)`)).toBe(
          '42704',
        )
        expect(await say(connection, `select lo_unlink(${oid})`)).toEqual([['1']])
      },
      { isolation },
    )
  })

  test('cursors WITH HOLD', async () => {
    await inSandbox(
      vivarium,
      async (connection) => {
        const leaver = await connect(vivarium.postgres.url)
        await leaver.query('declare held cursor with hold for select id from items order by id')
        expect(await say(leaver, 'fetch 1 from held')).toEqual([['1']])
        await leaver.end()
        await expect
          .poll(() => say(connection, `select name from pg_cursors where name = 'held'`), { timeout: 5000 })
          .toEqual([])
        await connection.query('declare held cursor with hold for select 5')
        expect(await say(connection, 'fetch 1 from held')).toEqual([['5']])
      },
      { isolation },
    )
  })
})

describe('nobody ends the backend that all share', () => {
  test('its process id is refused with the remedy, as text and as a parameter', async () => {
    await inSandbox(vivarium, async (connection) => {
      const pid = String(rowsOf(await connection.query('select pg_backend_pid()'))[0]?.[0])
      for (const name of ['pg_terminate_backend', 'pg_cancel_backend']) {
        const error = errorOf(await connection.query(`select ${name}(${pid})`))
        expect(error, name).toMatchObject({ C: '0A000', H: expect.stringContaining('isolation "database"') })
        connection.send(run(`select ${name}($1::integer)`, [pid]), sync())
        expect(errorOf(await connection.until('Z'))?.['C'], name).toBe('0A000')
      }
      expect(await say(connection, 'select 1')).toEqual([['1']])
    })
  })

  test('a computed one spares it, and says so', async () => {
    await inSandbox(vivarium, async (connection, sandbox) => {
      const text = 'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()'
      expect(await say(connection, text)).toEqual([[null]])
      connection.send(run(text), sync())
      expect(rowsOf(await connection.until('Z'))).toEqual([[null]])
      expect(sandbox.fidelityWarnings.map(({ kind }) => kind)).toEqual(['terminate-backend'])
      expect(await say(connection, 'select pg_terminate_backend(0)')).toEqual([['f']])
    })
  })
})

describe('now() is the same in all transactions of a sandbox', () => {
  test('that is said when a second one reads it, once', async () => {
    await inSandbox(vivarium, async (connection, sandbox) => {
      await connection.query('begin; select now(); select now(); commit')
      await connection.query('select clock_timestamp(), statement_timestamp()')
      expect(sandbox.fidelityWarnings).toEqual([])
      await connection.query('select current_timestamp')
      await connection.query('select now()')
      expect(sandbox.fidelityWarnings).toMatchObject([{ kind: 'frozen-now', text: 'select current_timestamp' }])
    })
  })

  test('what the file has read counts, too', async () => {
    const file = await vivarium.openSandbox({ title: 'file' })
    const connection = await connect(vivarium.postgres.url)
    await connection.query('select now()')
    const inner = await vivarium.openSandbox({ title: 'test', within: file })
    await connection.query('select now()')
    expect(inner.fidelityWarnings.map(({ kind }) => kind)).toEqual(['frozen-now'])
    await inner.close()
    expect(file.fidelityWarnings).toEqual([])
    await connection.end()
    await file.close()
  })
})
