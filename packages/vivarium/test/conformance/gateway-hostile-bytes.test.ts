import { describe, expect, test } from 'vitest'
import type { Sandbox } from '../../src/index.ts'
import { closeCodes, useVivarium } from '../support/vivarium.ts'
import { isolations } from '../support/isolations.ts'
import {
  bind,
  connect,
  copyData,
  copyDone,
  dial,
  errorOf,
  execute,
  lyingMessage,
  parse,
  query,
  rawMessage,
  rowsOf,
  sync,
} from '../support/wire.ts'

describe.each(isolations)('isolation %s', (isolation) => {
  const vivarium = useVivarium({ isolation })

  async function stillWorks(sandbox: Sandbox): Promise<void> {
    const connection = await connect(vivarium.postgres.url)
    expect(rowsOf(await connection.query('select count(*) from parents'))).toEqual([['2']])
    await connection.end()
    expect(await closeCodes(sandbox)).toEqual([])
  }

  test.each<[string, Buffer]>([
    ['an unknown message type', rawMessage('!', Buffer.from('what is this'))],
    ['a message type of the server', rawMessage('Z', Buffer.from('I'))],
    ['a length above the limit', lyingMessage('Q', 0x7fff_ffff, Buffer.from('select 1'))],
    ['a negative length', lyingMessage('Q', -5, Buffer.from('select 1\0'))],
    ['a length shorter than itself', lyingMessage('Q', 3, Buffer.from('x'))],
    ['a length of zero', lyingMessage('P', 0, Buffer.alloc(8))],
    ['random bytes', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
  ])('%s ends the connection with a clear FATAL, and the sandbox survives', async (_what, bytes) => {
    const sandbox = await vivarium.openSandbox()
    const connection = await connect(vivarium.postgres.url)
    await connection.query('begin; insert into parents values (3)')
    connection.send(bytes)
    const error = errorOf(await connection.untilClosed())
    expect(error?.['S']).toBe('FATAL')
    expect(error?.['C']).toBe('08P01')
    expect(error?.['M']).toMatch(/message|length|protocol/i)
    await stillWorks(sandbox)
  })

  test.each<[string, Buffer[]]>([
    ['a Query without its final zero', [rawMessage('Q', Buffer.from('select 1'))]],
    ['a Query with bytes behind its text', [rawMessage('Q', Buffer.from('select 1\0select 2\0'))]],
    ['an empty Query body', [rawMessage('Q')]],
    ['a Parse that ends early', [rawMessage('P', Buffer.from('a\0select 1\0')), sync()]],
    [
      'a Parse that promises more types',
      [rawMessage('P', Buffer.from('a\0select 1\0'), Buffer.from([0, 9, 0, 0])), sync()],
    ],
    [
      'a Bind that promises a longer value',
      [parse('select $1::text'), rawMessage('B', Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 99, 65])), sync()],
    ],
    [
      'a Bind with a negative count',
      [parse('select 1'), rawMessage('B', Buffer.from([0, 0, 0, 0, 0xff, 0xff, 0, 0])), sync()],
    ],
    ['a Describe of neither statement nor portal', [rawMessage('D', Buffer.from('X\0')), sync()]],
    ['a Close of neither statement nor portal', [rawMessage('C', Buffer.from('X\0')), sync()]],
    ['an Execute without its limit', [parse('select 1'), bind(), rawMessage('E', Buffer.from('\0')), sync()]],
    ['a Sync with a body', [rawMessage('S', Buffer.from('body'))]],
    ['a FunctionCall that ends early', [rawMessage('F', Buffer.from([0, 0]))]],
  ])('%s is answered with 08P01, and the sandbox survives', async (_what, messages) => {
    const sandbox = await vivarium.openSandbox()
    const connection = await connect(vivarium.postgres.url)
    connection.send(...messages)
    const answers = await connection.until('E')
    expect(errorOf(answers)?.['C']).toBe('08P01')
    connection.socket.destroy()
    await stillWorks(sandbox)
  })

  test('a row limit that is negative means all rows', async () => {
    const sandbox = await vivarium.openSandbox()
    const connection = await connect(vivarium.postgres.url)
    connection.send(parse('select generate_series(1, 3)'), bind(), execute('', -1), sync())
    expect(rowsOf(await connection.until('Z'))).toEqual([['1'], ['2'], ['3']])
    await connection.end()
    await stillWorks(sandbox)
  })

  test.each<[string, Buffer]>([
    ['three bytes', Buffer.from([0, 0, 0])],
    ['a length without a body', Buffer.from([0, 0, 0, 40])],
    ['half a message', Buffer.from([0, 0, 0, 40, 0, 3, 0, 0, ...Buffer.from('user\0al')])],
  ])('a start-up truncated after %s ends quietly', async (_what, bytes) => {
    const sandbox = await vivarium.openSandbox()
    const connection = await dial(vivarium.postgres.url)
    connection.send(bytes)
    connection.socket.end()
    await connection.untilClosed()
    await stillWorks(sandbox)
  })

  test.each<[string, Buffer]>([
    ['an enormous length', Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0])],
    ['a length too small', Buffer.from([0, 0, 0, 3, 0, 3, 0, 0])],
    ['no final zero', Buffer.from([0, 0, 0, 13, 0, 3, 0, 0, ...Buffer.from('user\0')])],
    ['no user', Buffer.from([0, 0, 0, 9, 0, 3, 0, 0, 0])],
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ])('a start-up with %s is refused, and the sandbox survives', async (_what, bytes) => {
    const sandbox = await vivarium.openSandbox()
    const connection = await dial(vivarium.postgres.url)
    connection.send(bytes)
    const answers = await connection.untilClosed()
    expect(errorOf(answers)?.['S']).toBe('FATAL')
    await stillWorks(sandbox)
  })

  test('a client that sends its conversation byte by byte gets the same answers', async () => {
    const sandbox = await vivarium.openSandbox()
    const connection = await connect(vivarium.postgres.url)
    connection.socket.setNoDelay(true)
    const bytes = Buffer.concat([
      query('begin'),
      parse('select $1::text', 'a'),
      bind({ statement: 'a', values: ['x'] }),
      execute(),
      sync(),
      query('copy parents from stdin'),
      copyData('9\tx\n'),
      copyDone(),
      query('rollback'),
    ])
    for (const byte of bytes) {
      connection.send(Buffer.from([byte]))
      await new Promise((resolve) => setImmediate(resolve))
    }
    const answers = await connection.until('Z', 4)
    expect(errorOf(answers)).toBeUndefined()
    expect(rowsOf(answers)).toEqual([['x']])
    await connection.end()
    await stillWorks(sandbox)
  })
})
