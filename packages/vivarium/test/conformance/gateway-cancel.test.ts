import { describe, expect, test } from 'vitest'
import { inSandbox, useVivarium } from '../support/vivarium.ts'
import { isolations } from '../support/isolations.ts'
import {
  cancel,
  cancelRequest,
  connect,
  copyData,
  copyDone,
  dial,
  errorOf,
  query,
  rowsOf,
  run,
  statusOf,
  sync,
} from '../support/wire.ts'

describe.each(isolations)('isolation %s', (isolation) => {
  const vivarium = useVivarium({ isolation })

  /** Says when it runs, then runs for as long as nobody cancels it. */
  const longStatement = `do $$ begin raise notice 'running'; perform pg_sleep(30); end $$`

  test('a cancel request ends the statement with 57014 and nothing else', async () => {
    await inSandbox(vivarium, async (connection) => {
      await connection.query('insert into parents values (3)')
      connection.send(query(longStatement))
      await connection.until('N')
      await cancel(vivarium.postgres.url, connection)
      const answers = await connection.until('Z')
      expect(errorOf(answers)?.['C']).toBe('57014')
      expect(statusOf(answers)).toBe('I')
      expect(rowsOf(await connection.query('select count(*) from parents'))).toEqual([['3']])
    })
  })

  test('a cancel request in a transaction fails the transaction, as in production', async () => {
    await inSandbox(vivarium, async (connection) => {
      await connection.query('begin; insert into parents values (3)')
      connection.send(query(longStatement))
      await connection.until('N')
      await cancel(vivarium.postgres.url, connection)
      expect(statusOf(await connection.until('Z'))).toBe('E')
      await connection.query('rollback')
      expect(rowsOf(await connection.query('select count(*) from parents'))).toEqual([['2']])
    })
  })

  test('a cancel request never hits the next statement', async () => {
    await inSandbox(vivarium, async (connection) => {
      for (let round = 1; round <= 50; round += 1) {
        connection.send(
          query(longStatement),
          query(`select sum(n) from generate_series(1, 20000) n`),
          run('select 1'),
          sync(),
        )
        await connection.until('N')
        await cancel(vivarium.postgres.url, connection)
        const [first, second, third] = [
          await connection.until('Z'),
          await connection.until('Z'),
          await connection.until('Z'),
        ]
        expect(errorOf(first)?.['C'], `round ${round}`).toBe('57014')
        expect(rowsOf(second), `round ${round}`).toEqual([['200010000']])
        expect(rowsOf(third), `round ${round}`).toEqual([['1']])
      }
    })
  }, 60_000)

  // On a real connection a late cancel may hit the next statement, as in production.
  if (isolation === 'transaction') {
    test('a cancel request that comes before the server has begun is for the statement, not for ours ahead of it', async () => {
      await inSandbox(vivarium, async (connection) => {
        const [[pid] = []] = rowsOf(await connection.query('select pg_backend_pid()'))
        const server = await connect(vivarium.postgres.serverUrl)
        const looks = `select count(*) from pg_stat_activity where query like '%vivarium: before a cancel *_' and pid <> pg_backend_pid()`
        process.kill(Number(pid), 'SIGSTOP')
        try {
          connection.send(query(longStatement))
          const cancelled = cancel(vivarium.postgres.url, connection)
          const looked = (async (): Promise<void> => {
            await expect.poll(async () => rowsOf(await server.query(looks)), { timeout: 5000 }).toEqual([['1']])
          })()
          await Promise.race([cancelled, looked])
          process.kill(Number(pid), 'SIGCONT')
          await Promise.all([cancelled, looked.catch(() => undefined)])
          expect(errorOf(await connection.until('Z'))?.['C']).toBe('57014')
        } finally {
          process.kill(Number(pid), 'SIGCONT')
          await server.end()
        }
        expect(rowsOf(await connection.query('select 1'))).toEqual([['1']])
      })
    })

    test('a cancel request that comes too late for its statement does not hit the next one', async () => {
      await inSandbox(vivarium, async (connection) => {
        for (let round = 1; round <= 60; round += 1) {
          const canceller = await dial(vivarium.postgres.url)
          // The request reaches the gateway while the first statement runs, and the server when that has ended or nearly so.
          connection.send(query(`select pg_sleep(${0.0004 + (round % 6) * 0.0002})`), query('select pg_sleep(0.02)'))
          canceller.send(cancelRequest(connection.processId, connection.secret))
          const [first, second] = [await connection.until('Z'), await connection.until('Z')]
          expect([undefined, '57014'], `round ${round}`).toContain(errorOf(first)?.['C'])
          expect(errorOf(second), `round ${round}`).toBeUndefined()
          await canceller.untilClosed()
        }
      })
    }, 60_000)
  }

  test('a cancel request ends nothing of another connection', async () => {
    await inSandbox(vivarium, async (connection) => {
      const other = await connect(vivarium.postgres.url)
      connection.send(query(`do $$ begin raise notice 'running'; perform pg_sleep(0.3); end $$`))
      await connection.until('N')
      await cancel(vivarium.postgres.url, other)
      expect(errorOf(await connection.until('Z'))).toBeUndefined()
      await other.end()
    })
  })

  test('a cancel request ends a COPY in its middle, in both directions, and nothing of it stays', async () => {
    await inSandbox(vivarium, async (connection) => {
      connection.send(query('copy parents (id) from stdin'))
      await connection.until('G')
      connection.send(copyData('3\n'))
      await cancel(vivarium.postgres.url, connection)
      // The server looks for a cancel with the next row that it reads (CopyFrom in copyfrom.c), and then skips the rest.
      connection.send(copyData('4\n'), copyData('5\n'), copyDone())
      const copiedIn = await connection.until('Z')
      expect([errorOf(copiedIn)?.['C'], statusOf(copiedIn)]).toEqual(['57014', 'I'])
      expect(rowsOf(await connection.query('select count(*) from parents'))).toEqual([['2']])

      // More than the server keeps back before it writes.
      const rows = `select repeat('x', 9000), pg_sleep(case n when 3 then 30 else 0 end) from generate_series(1, 3) n`
      connection.send(query(`copy (${rows}) to stdout`))
      await connection.until('H')
      await cancel(vivarium.postgres.url, connection)
      const copiedOut = await connection.until('Z')
      expect([errorOf(copiedOut)?.['C'], statusOf(copiedOut)]).toEqual(['57014', 'I'])
      expect(rowsOf(await connection.query('select 1'))).toEqual([['1']])
    })
  })

  test('a cancelled COPY fails the transaction that it was in', async () => {
    await inSandbox(vivarium, async (connection) => {
      await connection.query('begin; insert into parents values (3)')
      connection.send(query('copy parents (id) from stdin'))
      await connection.until('G')
      await cancel(vivarium.postgres.url, connection)
      connection.send(copyData('4\n'), copyData('5\n'), copyDone())
      const copied = await connection.until('Z')
      expect([errorOf(copied)?.['C'], statusOf(copied)]).toEqual(['57014', 'E'])
      expect(errorOf(await connection.query('select 1'))?.['C']).toBe('25P02')
      await connection.query('rollback')
      expect(rowsOf(await connection.query('select count(*) from parents'))).toEqual([['2']])
    })
  })

  test('a cancel request for an idle connection or with a wrong secret does nothing', async () => {
    await inSandbox(vivarium, async (connection) => {
      await cancel(vivarium.postgres.url, connection)
      connection.send(query(`do $$ begin raise notice 'running'; perform pg_sleep(0.3); end $$`))
      await connection.until('N')
      const stranger = await dial(vivarium.postgres.url)
      stranger.send(cancelRequest(connection.processId, Buffer.from([1, 2, 3, 4])))
      expect(await stranger.untilClosed()).toEqual([])
      expect(errorOf(await connection.until('Z'))).toBeUndefined()
    })
  })

  // With a connection of its own none waits for a turn.
  if (isolation === 'transaction') {
    test('a statement that waits for its turn can be cancelled too', async () => {
      await inSandbox(vivarium, async (holder) => {
        await holder.query('begin')
        const waiting = await connect(vivarium.postgres.url)
        waiting.send(query('select 1'))
        await cancel(vivarium.postgres.url, waiting)
        const answers = await waiting.until('Z')
        // Either it was cancelled in the queue, or it ran out of time there: never a row, never a hang.
        expect(errorOf(answers)?.['C']).toBe('57014')
        await holder.query('commit')
        expect(rowsOf(await waiting.query('select 2'))).toEqual([['2']])
        await waiting.end()
      })
    })
  }
})
