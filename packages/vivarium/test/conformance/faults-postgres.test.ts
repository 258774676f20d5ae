import pg from 'pg'
import { describe, expect, test } from 'vitest'
import type { Sandbox } from '../../src/index.ts'
import { isolations } from '../support/isolations.ts'
import { closeCodes, closeError, useVivarium } from '../support/vivarium.ts'
import {
  bind,
  cancel,
  connect,
  describePortal,
  errorOf,
  execute,
  flush,
  parse,
  query,
  rowsOf,
  run,
  statusOf,
  sync,
  tagsOf,
} from '../support/wire.ts'

const vivarium = useVivarium()

const count = 'select count(*) from parents'

/** A pool of an application, whose lost connections it replaces. */
async function withPool<T>(url: string, use: (pool: pg.Pool) => Promise<T>, options: pg.PoolConfig = {}): Promise<T> {
  const pool = new pg.Pool({ connectionString: url, ...options })
  pool.on('error', () => undefined)
  try {
    return await use(pool)
  } finally {
    await pool.end()
  }
}

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'resolved',
    (error: { code?: unknown; message: string }) => error.code ?? error.message,
  )
}

const lost = 'Connection terminated unexpectedly'

describe.each(isolations)('in isolation %s', (isolation) => {
  const open = (): Promise<Sandbox> => vivarium.openSandbox({ isolation })

  test('a fault strikes the n-th of those that match, once; the others go their way', async () => {
    const sandbox = await open()
    await withPool(vivarium.postgres.url, async (pool) => {
      const fault = sandbox.fault.query({ text: /^select/i, nth: 2 }).fails({ code: '40001' })
      const codes: unknown[] = []
      for (const text of ['select 1', 'values (1)', 'select 2', 'select 3']) codes.push(await codeOf(pool.query(text)))
      expect(codes).toEqual(['resolved', 'resolved', '40001', 'resolved'])
      expect(fault.struck).toBe(1)
    })
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('it strikes as often as it is told, or always', async () => {
    const sandbox = await open()
    await withPool(vivarium.postgres.url, async (pool) => {
      sandbox.fault.query('select 1').fails().times(2)
      sandbox.fault.query('select 2').fails().always()
      const codes: unknown[] = []
      for (const text of ['select 1', 'select 1', 'select 1', 'select 2', 'select 2', 'select 2'])
        codes.push(await codeOf(pool.query(text)))
      expect(codes).toEqual(['58030', '58030', 'resolved', '58030', '58030', '58030'])
    })
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('a text is the words that a statement begins with, in any case and spacing, and whole words', async () => {
    const sandbox = await open()
    await withPool(vivarium.postgres.url, async (pool) => {
      sandbox.fault.query('insert into parents').fails().always()
      expect(await codeOf(pool.query('/* why */ INSERT  INTO\n parents values (7)'))).toBe('58030')
      expect(await codeOf(pool.query('select 1 /* insert into parents */'))).toBe('resolved')
      sandbox.fault.query('select na').fails().ifMet()
      expect(await codeOf(pool.query('select name from parents'))).toBe('resolved')
    })
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('BEGIN, COMMIT and each statement of a text count, an extended one by the text of its Parse, once for each Execute', async () => {
    const sandbox = await open()
    const connection = await connect(vivarium.postgres.url)
    const seen: string[] = []
    sandbox.fault
      .query({ where: ({ text, params }) => void seen.push(`${text} ${params.join()}`.trim()) as unknown as boolean })
      .fails()
      .ifMet()
    await connection.query('begin; select 1; commit')
    const exchange = async (answer: string, ...messages: Buffer[]): Promise<void> => {
      connection.send(...messages)
      await connection.until(answer)
    }
    const named = (value: string): Buffer => bind({ statement: 'named', values: [value] })
    await exchange('Z', parse('select $1::int', 'named'), sync())
    await exchange('Z', named('7'), execute(), named('8'), execute(), sync())
    await exchange('s', parse('select generate_series(1, 3)'), bind(), execute('', 1), flush())
    await exchange('Z', execute('', 1), sync())
    expect(seen).toEqual([
      'begin',
      'select 1',
      'commit',
      'select $1::int 7',
      'select $1::int 8',
      'select generate_series(1, 3)',
    ])
    await connection.end()
    await sandbox.close()
  })

  test('behind a statement that fails the rest of its pipeline is neither run nor counted', async () => {
    const sandbox = await open()
    const connection = await connect(vivarium.postgres.url)
    sandbox.fault.query({ nth: 2 }).fails({ code: '23514' })
    const third = sandbox.fault.query({ nth: 3 }).fails({ code: '40P01' })
    connection.send(...[3, 4, 5].map((id) => run(`insert into parents values (${id})`)), sync())
    const answers = await connection.until('Z')
    expect(errorOf(answers)?.['C']).toBe('23514')
    expect(third.struck).toBe(0)
    // The first insert of the pipeline is undone with it.
    expect(errorOf(await connection.query(count))?.['C']).toBe('40P01')
    expect(rowsOf(await connection.query(count))).toEqual([['2']])
    await connection.end()
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('a COMMIT of the extended protocol that fails has undone its transaction, and its pipeline ends there', async () => {
    const sandbox = await open()
    const connection = await connect(vivarium.postgres.url)
    await connection.query('begin')
    sandbox.fault.query('commit').fails()
    connection.send(run('insert into parents values (3)'), run('commit'), run('insert into parents values (4)'), sync())
    const answers = await connection.until('Z')
    expect(errorOf(answers)?.['C']).toBe('40001')
    expect([tagsOf(answers), statusOf(answers)]).toEqual([['INSERT 0 1'], 'I'])
    expect(rowsOf(await connection.query(count))).toEqual([['2']])
    await connection.end()
    expect(sandbox.queries.map(({ text, error }) => [text, error?.code])).toEqual([
      ['begin', undefined],
      ['insert into parents values (3)', undefined],
      ['commit', '40001'],
      [count, undefined],
    ])
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('what a client has sent ahead of the lost statement is answered first', async () => {
    const sandbox = await open()
    const connection = await connect(vivarium.postgres.url)
    sandbox.fault.query('select 3').losesConnection('before')
    connection.send(query('select 1'), query('select 2'), query('select 3'), query('select 4'))
    expect(rowsOf(await connection.untilClosed())).toEqual([['1'], ['2']])
    expect(sandbox.queries.map(({ text }) => text)).toEqual(['select 1', 'select 2', 'select 3'])
    await sandbox.close()
  })

  test('in a failed transaction only what ends it counts', async () => {
    const sandbox = await open()
    const connection = await connect(vivarium.postgres.url)
    await connection.query('begin')
    await connection.query('select 1 / 0')
    sandbox.fault.query({ nth: 1 }).losesConnection('after')
    expect(errorOf(await connection.query('select 1'))?.['C']).toBe('25P02')
    connection.send(query('rollback'))
    await connection.untilClosed()
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test.each([
    ['before', '2'],
    ['after', '3'],
  ] as const)(
    'a statement that times out %s it took effect: the pool gives up, and %s rows are there',
    async (moment, rows) => {
      const sandbox = await open()
      const given = { query_timeout: 200 }
      await withPool(
        vivarium.postgres.url,
        async (pool) => {
          sandbox.fault.query('insert').timesOut(moment)
          expect(await codeOf(pool.query('insert into parents values (3)'))).toBe('Query read timeout')
          expect((await pool.query(count)).rows).toEqual([{ count: rows }])
        },
        given,
      )
      const [insert] = sandbox.queries
      expect(insert?.fault).toMatchObject({ kind: 'timesOut', moment })
      expect(await closeCodes(sandbox)).toEqual([])
    },
  )

  test('a COMMIT that times out after it took effect has committed', async () => {
    const sandbox = await open()
    const connection = await connect(vivarium.postgres.url)
    await connection.query('begin')
    await connection.query('insert into parents values (3)')
    sandbox.fault.query('commit').timesOut('after')
    connection.send(query('commit'))
    const other = await connect(vivarium.postgres.url)
    await expect.poll(async () => rowsOf(await other.query(count))).toEqual([['3']])
    await connection.vanish()
    await other.end()
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('others work on while a statement of one connection is not answered', async () => {
    const sandbox = await open()
    const connection = await connect(vivarium.postgres.url)
    sandbox.fault.query('select 1').timesOut()
    connection.send(parse('select 1'), bind(), describePortal(), execute(), sync())
    const other = await connect(vivarium.postgres.url)
    expect(errorOf(await other.query('begin; insert into parents values (3); commit'))).toBeUndefined()
    expect(sandbox.fidelityWarnings).toEqual([])
    await other.end()
    await connection.vanish()
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('a statement that is not answered can be cancelled: its transaction has failed, as ever', async () => {
    const sandbox = await open()
    const connection = await connect(vivarium.postgres.url)
    await connection.query('begin')
    sandbox.fault.query('select 1').timesOut()
    connection.send(query('select 1'))
    await cancel(vivarium.postgres.url, connection)
    const answers = await connection.until('Z')
    expect(errorOf(answers)?.['C']).toBe('57014')
    expect(errorOf(await connection.query('select 2'))?.['C']).toBe('25P02')
    await connection.query('rollback')
    await connection.end()
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test.each(['before', 'after'] as const)(
    'what still waits at close (%s) is ended, and reported as the doing of the fault',
    async (moment) => {
      const sandbox = await open()
      const connection = await connect(vivarium.postgres.url)
      await connection.query('begin')
      sandbox.fault.query('insert into parents').timesOut(moment)
      connection.send(query('insert into parents values (3)'))
      const other = await connect(vivarium.postgres.url)
      await other.query('select 1')
      await other.end()
      const error = await closeError(sandbox)
      expect(error?.errors.map((one: { code?: string }) => one.code)).toEqual(['FAULT_NOT_ENDED'])
      expect(error?.message).toContain('insert into parents values (3)')
      expect(error?.message).toContain('faults-postgres.test.ts')
      expect(errorOf(await connection.untilClosed())?.['C']).toBe('57P01')
    },
  )

  test('a fault that nothing meets fails the test, with what crossed instead; unless it may', async () => {
    const sandbox = await open()
    await withPool(vivarium.postgres.url, async (pool) => {
      await pool.query('select 0')
      sandbox.fault.query({ text: /insert into parents/, nth: 2 }).losesConnection('after')
      sandbox.fault.query('truncate').fails().ifMet()
      await pool.query('insert into parents values (3)')
      await pool.query('select 1')
      await pool.query('select 1')
    })
    const error = await closeError(sandbox)
    expect(error?.errors.map((one: { code?: string }) => one.code)).toEqual(['FAULT_UNUSED'])
    const message = error?.errors.map(String).join('\n')
    expect(message).toContain(
      'the 2nd of them, which lost its connection after it took effect; set at test/conformance/faults-postgres.test.ts:',
    )
    expect(message).toContain('1 of 3 that crossed to postgres since matched')
    expect(message).toContain('2 × select 1')
    expect(message).not.toContain('select 0')
  })

  test('the interaction says that it was a fault, whatever kind it was', async () => {
    const sandbox = await open()
    await withPool(vivarium.postgres.url, async (pool) => {
      sandbox.fault.query('select 1').fails()
      sandbox.fault.query('select 2').losesConnection('before')
      sandbox.fault.query('select 3').losesConnection('after')
      sandbox.fault.query('select 4').fails({ code: '57P01' })
      const codes: unknown[] = []
      for (const number of [1, 2, 3, 4, 5]) codes.push(await codeOf(pool.query(`select ${number}`)))
      expect(codes).toEqual(['58030', lost, lost, '57P01', 'resolved'])
    })
    expect(sandbox.queries.map(({ text, fault, error }) => [text, fault?.kind, fault?.moment, error?.code])).toEqual([
      ['select 1', 'fails', 'before', '58030'],
      ['select 2', 'losesConnection', 'before', '08006'],
      ['select 3', 'losesConnection', 'after', undefined],
      ['select 4', 'fails', 'before', '57P01'],
      ['select 5', undefined, undefined, undefined],
    ])
    expect(sandbox.queries[0]?.fault?.setAt).toMatch(/^test\/conformance\/faults-postgres\.test\.ts:\d+:\d+$/)
    expect(await closeCodes(sandbox)).toEqual([])
  })

  test('a fault of a file strikes in its tests, and is counted there', async () => {
    const file = await open()
    const fault = file.fault.query('select 1').fails().times(2)
    for (const expected of ['58030', '58030', 'resolved']) {
      const inner = await vivarium.openSandbox({ within: file })
      await withPool(vivarium.postgres.url, async (pool) => expect(await codeOf(pool.query('select 1'))).toBe(expected))
      expect(await closeCodes(inner)).toEqual([])
    }
    expect(fault.struck).toBe(2)
    expect(await closeCodes(file)).toEqual([])
  })

  test('another test at once is not touched', async () => {
    const one = await vivarium.openSandbox({ isolation, concurrent: true })
    const other = await vivarium.openSandbox({ isolation, concurrent: true })
    one.fault.query('select').fails().always()
    const codes = await Promise.all(
      [one, other].map(({ postgres }) => withPool(postgres.url, (pool) => codeOf(pool.query('select 1')))),
    )
    expect(codes).toEqual(['58030', 'resolved'])
    expect(await Promise.all([closeCodes(one), closeCodes(other)])).toEqual([[], []])
  })
})

test('a fault of a closed sandbox, and one that cannot be, are refused with what to say instead', async () => {
  const sandbox = await vivarium.openSandbox()
  expect(() => sandbox.fault.query({ nth: 0 })).toThrow('CONFIG_INVALID')
  expect(() => sandbox.fault.query({ texd: 'x' } as object)).toThrow('Did you mean `text`?')
  expect(() => sandbox.fault.query().fails().ifMet().times(0)).toThrow('CONFIG_INVALID')
  await sandbox.close()
  expect(() => sandbox.fault.query().fails()).toThrow('SANDBOX_CLOSED')
})
