import { describe, expect, test } from 'vitest'
import { inSandbox, useVivarium, wordsOf } from '../support/vivarium.ts'
import { isolations } from '../support/isolations.ts'
import {
  connect,
  dial,
  errorOf,
  gssencRequest,
  queryError,
  readUrl,
  rowsOf,
  singleByteAnswer,
  sslRequest,
  startup,
  statusOf,
} from '../support/wire.ts'

describe.each(isolations)('isolation %s', (isolation) => {
  const vivarium = useVivarium({ isolation })

  test('without an open sandbox a query is refused, and the error names the ways to open one', async () => {
    const connection = await connect(vivarium.postgres.url)
    const error = await queryError(connection, 'select 1')
    expect(wordsOf(error)).toMatch(/no sandbox is open/)
    expect(wordsOf(error)).toMatch(/openSandbox.*plugin/)
    await connection.end()
  })

  test('a connection refused without a sandbox works as soon as one is open, and is refused again after close', async () => {
    const connection = await connect(vivarium.postgres.url)
    expect(await queryError(connection, 'select 1')).toBeDefined()
    const sandbox = await vivarium.openSandbox()
    expect(rowsOf(await connection.query('select 1'))).toEqual([['1']])
    await sandbox.close()
    expect(wordsOf(await queryError(connection, 'select 1'))).toMatch(/no sandbox is open/)
    await connection.end()
  })

  test('a connection of the stable URL follows the current sandbox from one to the next', async () => {
    const connection = await connect(vivarium.postgres.url)
    for (const round of [1, 2, 3]) {
      const sandbox = await vivarium.openSandbox()
      expect(rowsOf(await connection.query('select count(*) from parents')), `round ${round}`).toEqual([['2']])
      await connection.query(`insert into parents values (50)`)
      expect(rowsOf(await connection.query('select count(*) from parents'))).toEqual([['3']])
      await sandbox.close()
    }
    await connection.end()
  })

  test('a pinned URL reaches its own sandbox only, and is refused after that one closed', async () => {
    const first = await vivarium.openSandbox({ title: 'first' })
    const second = await vivarium.openSandbox({ title: 'second', concurrent: true })
    const [stable, one, two] = await Promise.all(
      [vivarium.postgres.url, first.postgres.url, second.postgres.url].map((url) => connect(url)),
    )
    await two?.query(`insert into parents values (60, 'second')`)
    await stable?.query(`insert into parents values (60, 'first')`)
    expect(rowsOf((await one?.query('select name from parents where id = 60')) ?? [])).toEqual([['first']])
    expect(rowsOf((await two?.query('select name from parents where id = 60')) ?? [])).toEqual([['second']])
    await second.close()
    // Refused at the door is as good as refused at the first query.
    const late = await connect(second.postgres.url)
      .then((connection) => queryError(connection, 'select 1').finally(() => connection.socket.destroy()))
      .catch((error: unknown) => error)
    expect(wordsOf(late)).toMatch(/sandbox of this URL is closed/)
    two?.socket.destroy()
    expect(rowsOf((await stable?.query('select name from parents where id = 60')) ?? [])).toEqual([['first']])
    await stable?.end()
    await one?.end()
    await first.close()
  })

  test('two sandboxes at once never wait for each other: same key, same row, same advisory lock, same table altered', async () => {
    const first = await vivarium.openSandbox()
    const second = await vivarium.openSandbox({ concurrent: true })
    const one = await connect(first.postgres.url)
    const two = await connect(second.postgres.url)
    for (const connection of [one, two]) {
      await connection.query('begin')
      for (const text of [
        `insert into items (name) values ('same key')`,
        `update parents set name = 'same row' where id = 1`,
        'select pg_advisory_xact_lock(42)',
        'alter table children add column same_column integer',
      ]) {
        expect(errorOf(await connection.query(text)), text).toBeUndefined()
      }
    }
    for (const connection of [one, two]) {
      await connection.query('commit')
      await connection.end()
    }
    await second.close()
    await first.close()
  })

  test('a wrong password is refused with 28P01 and no detail of the right one', async () => {
    const { password } = readUrl(vivarium.postgres.url)
    await expect(connect(vivarium.postgres.url, { password: 'wrong' })).rejects.toThrow(/28P01/)
    await expect(connect(vivarium.postgres.url, { password: 'wrong' })).rejects.not.toThrow(password)
  })

  test('an encryption request is answered with N, and the same connection then starts up in the clear', async () => {
    expect(await singleByteAnswer(vivarium.postgres.url, sslRequest())).toBe('N')
    expect(await singleByteAnswer(vivarium.postgres.url, gssencRequest())).toBe('N')
  })

  test('both encryption requests in a row are answered before the start-up', async () => {
    const connection = await dial(vivarium.postgres.url)
    const bytes: Buffer[] = []
    connection.socket.removeAllListeners('data')
    const first = (): Promise<Buffer> => new Promise((resolve) => connection.socket.once('data', resolve))
    connection.send(gssencRequest())
    bytes.push(await first())
    connection.send(sslRequest())
    bytes.push(await first())
    expect(Buffer.concat(bytes).toString('latin1')).toBe('NN')
    connection.send(startup({ user: readUrl(vivarium.postgres.url).user, database: 'x' }))
    expect((await first()).subarray(0, 1).toString('latin1')).toMatch(/[RE]/)
    connection.socket.destroy()
  })

  test('a protocol version that does not exist is refused with a FATAL', async () => {
    const connection = await dial(vivarium.postgres.url)
    connection.send(startup({ user: 'x', database: 'x' }, 0x0002_0000))
    const answers = await connection.untilClosed()
    expect(errorOf(answers)?.['S']).toBe('FATAL')
    expect(errorOf(answers)?.['C']).toBe('0A000')
  })

  test('a start-up of a newer minor version or with unknown protocol options is negotiated down', async () => {
    await inSandbox(vivarium, async () => {
      const connection = await dial(vivarium.postgres.url)
      const { user, database } = readUrl(vivarium.postgres.url)
      connection.send(startup({ user, database, '_pq_.something': 'on' }, 0x0003_0002))
      const answers = await connection.until('R')
      // Protocol 3.2 may be spoken by a newer server: then nothing is negotiated but the option.
      expect(answers[0]?.type).toBe('NegotiateProtocolVersion')
      expect(answers[0]?.fields['options']).toEqual(['_pq_.something'])
      connection.socket.destroy()
    })
  })

  test('the start-up tells the client what a plain server tells it', async () => {
    await inSandbox(vivarium, async (connection) => {
      const names = connection.startupAnswers.filter(({ code }) => code === 'S').map(({ fields }) => fields['name'])
      expect(names).toEqual(
        expect.arrayContaining([
          'server_version',
          'client_encoding',
          'DateStyle',
          'TimeZone',
          'standard_conforming_strings',
        ]),
      )
      expect(connection.processId).toBeGreaterThan(0)
      expect(statusOf(connection.startupAnswers)).toBe('I')
    })
  })
})
