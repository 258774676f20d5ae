import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { splitInline } from './inline.ts'
import { readInteger, RedisProtocolError } from './protocol-error.ts'
import { readReply, writeReply } from './reply.ts'
import { ReplyScanner } from './reply-scanner.ts'
import { RequestParser } from './request-parser.ts'
import { writeRequest } from './requests.ts'

/** The commands in `chunks`, one word of hexadecimal digits per argument, and the error that ended them. */
function parse(chunks: readonly Buffer[]): { requests: string[][]; error: string | undefined } {
  const parser = new RequestParser()
  const requests: string[][] = []
  try {
    for (const chunk of chunks) {
      parser.push(chunk, (request) => requests.push(request.takeApart().map((argument) => argument.toString('hex'))))
    }
    return { requests, error: undefined }
  } catch (error) {
    if (!(error instanceof RedisProtocolError)) throw error
    return { requests, error: error.message }
  }
}

/** Where the replies in `chunks` end, and what ended the scan. */
function scan(chunks: readonly Buffer[]): { ends: number[]; error: string | undefined } {
  const scanner = new ReplyScanner()
  const ends: number[] = []
  let before = 0
  try {
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length;) {
        at = scanner.scan(chunk, at)
        if (scanner.isBetween) ends.push(before + at)
      }
      before += chunk.length
    }
    return { ends, error: undefined }
  } catch (error) {
    if (!(error instanceof RedisProtocolError)) throw error
    return { ends, error: error.message }
  }
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  let at = 0
  for (let index = 0; at < bytes.length; index++) {
    const size = sizes.length === 0 ? bytes.length : sizes[index % sizes.length]!
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array))
const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 6 })

describe('requests', () => {
  test('arrays of bulk strings are read whatever the chunks are', () => {
    const commands = fc.array(fc.array(bytes, { minLength: 1, maxLength: 5 }), { maxLength: 5 })
    fc.assert(
      fc.property(commands, sizes, (wanted, pieces) => {
        const built = Buffer.concat(
          wanted.map((command) =>
            Buffer.concat([
              Buffer.from(`*${command.length}\r\n`),
              ...command.map((one) => Buffer.concat([Buffer.from(`$${one.length}\r\n`), one, Buffer.from('\r\n')])),
            ]),
          ),
        )
        const requests = wanted.map((command) => command.map((one) => one.toString('hex')))
        expect(parse(cut(built, pieces))).toEqual({ requests, error: undefined })
        expect(Buffer.concat(wanted.map(writeRequest)).equals(built)).toBe(true)
      }),
    )
  })

  const hostile = fc
    .array(
      fc.oneof(
        bytes,
        fc.constantFrom('*2\r\n', '$3\r\n', 'abc\r\n', '*-1\r\n', '"', '\r\n', ' ', '$', '*99999999\r\n'),
      ),
    )
    .map((parts) => Buffer.concat(parts.map((part) => Buffer.from(part))))

  test('arbitrary bytes are commands or a protocol error, the same ones however they are cut', () => {
    fc.assert(
      fc.property(hostile, sizes, (input, pieces) => {
        expect(parse(cut(input, pieces))).toEqual(parse(cut(input, [])))
      }),
      { numRuns: 1000 },
    )
  })

  test.each([
    ['*1048577\r\n', 'invalid multibulk length'],
    ['*x\r\n', 'invalid multibulk length'],
    ['*1\r\n+GET\r\n', "expected '$', got '+'"],
    ['*1\r\n$-1\r\n', 'invalid bulk length'],
    ['*1\r\n$536870913\r\n', 'invalid bulk length'],
    ['SET "a\r\n', 'unbalanced quotes in request'],
    [`${'x'.repeat(65_537)}`, 'too big inline request'],
    [`*${'1'.repeat(65_537)}`, 'too big mbulk count string'],
    [`*1\r\n$${'1'.repeat(65_537)}`, 'too big bulk count string'],
  ])('%.20j is refused in the words of a server', (input, message) => {
    expect(parse([Buffer.from(input)]).error).toBe(`Protocol error: ${message}`)
  })

  test('an empty array and an empty line are no commands', () => {
    expect(parse([Buffer.from('*0\r\n*-1\r\n\r\n  \r\nPING\r\n')]).requests).toEqual([
      [Buffer.from('PING').toString('hex')],
    ])
  })

  test('what a large argument is made of is put together once', () => {
    const parser = new RequestParser()
    const piece = Buffer.alloc(64 * 1024, 'x')
    let seen = 0
    parser.push(Buffer.from(`*1\r\n$${64 * piece.length}\r\n`), () => undefined)
    const allocate = vi.spyOn(Buffer, 'allocUnsafe')
    try {
      for (let index = 0; index < 64; index++) parser.push(piece, () => undefined)
      expect(allocate).not.toHaveBeenCalled()
      parser.push(Buffer.from('\r\n'), (request) => (seen = request.argument(0).length))
    } finally {
      allocate.mockRestore()
    }
    expect(seen).toBe(64 * piece.length)
  })

  test.each([
    ['SET a "b c"', ['SET', 'a', 'b c']],
    [String.raw`ECHO "\x41\n\"" 'it\'s'`, ['ECHO', 'A\n"', "it's"]],
    ['  GET\t a ', ['GET', 'a']],
    [`ECHO ''`, ['ECHO', '']],
    [`ECHO "a"b`, undefined],
    [`ECHO 'a`, undefined],
  ])('the line %j is split as a server does', (line, words) => {
    expect(splitInline(Buffer.from(line))?.map(String)).toEqual(words)
  })

  test.each([
    ['0', 0],
    ['-1', -1],
    ['12', 12],
    ['+1', undefined],
    ['01', undefined],
    ['-0', undefined],
    ['', undefined],
    ['1e3', undefined],
  ])('the number %j is %s', (text, number) => {
    expect(readInteger(text)).toBe(number)
  })
})

/** Builds replies' bytes without the code under test. */
const { reply } = fc.letrec<{ reply: Buffer }>((tie) => {
  const line = (type: string, text: string): Buffer => Buffer.from(`${type}${text}\r\n`)
  const list = (type: string, each: number) =>
    fc
      .array(tie('reply'), { maxLength: 3 })
      .map((items) => items.slice(0, items.length - (items.length % each)))
      .map((items) => Buffer.concat([line(type, String(items.length / each)), ...items]))
  return {
    reply: fc.oneof(
      { maxDepth: 4 },
      fc
        .constantFrom('+OK\r\n', '-ERR no\r\n', ':12\r\n', '_\r\n', '#t\r\n', ',1.5\r\n', '(123\r\n')
        .map((one) => Buffer.from(one)),
      fc.constantFrom('$-1\r\n', '*-1\r\n').map((one) => Buffer.from(one)),
      fc
        .tuple(fc.constantFrom('$', '!', '='), bytes)
        .map(([type, data]) => Buffer.concat([line(type, String(data.length)), data, Buffer.from('\r\n')])),
      fc.constantFrom('*', '~', '>').chain((type) => list(type, 1)),
      list('%', 2),
      fc.tuple(list('|', 2), tie('reply')).map(([attributes, value]) => Buffer.concat([attributes, value])),
    ),
  }
})

describe('replies', () => {
  test('each one ends where it ends, whatever the chunks are', () => {
    fc.assert(
      fc.property(fc.array(reply, { maxLength: 5 }), sizes, (replies, pieces) => {
        const ends: number[] = []
        for (const one of replies) ends.push((ends.at(-1) ?? 0) + one.length)
        expect(scan(cut(Buffer.concat(replies), pieces))).toEqual({ ends, error: undefined })
      }),
      { numRuns: 500 },
    )
  })

  test('what is read is written as it was', () => {
    fc.assert(
      fc.property(reply, (one) => {
        expect(writeReply(readReply(one)).equals(one)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('arbitrary bytes are replies or a protocol error, the same ones however they are cut', () => {
    const hostile = fc
      .array(fc.oneof(bytes, reply, fc.constantFrom('*2\r\n', '$3\r\n', '$?\r\n', '*?\r\n', '%-2\r\n', '\r\n')))
      .map((parts) => Buffer.concat(parts.map((part) => Buffer.from(part))))
    fc.assert(
      fc.property(hostile, sizes, (input, pieces) => {
        expect(scan(cut(input, pieces))).toEqual(scan(cut(input, [])))
      }),
      { numRuns: 1000 },
    )
  })

  test('arbitrary bytes given to the reader are one reply or a protocol error', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          bytes,
          reply,
          fc.tuple(reply, bytes).map(([one, more]) => Buffer.concat([one, more])),
        ),
        (one) => {
          try {
            readReply(one)
          } catch (error) {
            expect(error).toBeInstanceOf(RedisProtocolError)
          }
        },
      ),
      { numRuns: 1000 },
    )
  })

  test.each(['$?\r\n', '*?\r\n', '%-2\r\n', '.\r\n', '$1099511627776\r\n'])(
    '%j, which no server sends, is refused',
    (line) => {
      expect(scan([Buffer.from(line)]).error).toBeDefined()
    },
  )

  test('a reply that nests too deeply is refused, and not with a full stack', () => {
    expect(() => readReply(Buffer.from(`${'*1\r\n'.repeat(100_000)}:1\r\n`))).toThrow(RedisProtocolError)
  })

  test('a reply’s first line tells its kind and number', () => {
    const scanner = new ReplyScanner()
    scanner.scan(Buffer.from('*0\r\n'), 0)
    expect([scanner.type, scanner.number]).toEqual(['*', 0])
    scanner.scan(Buffer.from('$5\r\nhello\r\n'), 0)
    expect([scanner.type, scanner.number]).toEqual(['$', 5])
  })
})
