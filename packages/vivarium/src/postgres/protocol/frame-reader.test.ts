import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { lyingMessage, query, rawMessage, sync } from '../../../test/support/wire-messages.ts'
import { describeType, expectEnd, FrameReader, maxMessageLength, ProtocolViolation } from './frame-reader.ts'

/** Every message that comes out while the chunks go in, whole, as the reader shows it. */
function framesOf(chunks: readonly Buffer[], reader: FrameReader = new FrameReader()): Buffer[] {
  const frames: Buffer[] = []
  for (const chunk of chunks) {
    reader.push(chunk)
    for (let type = reader.next(); type !== 0; type = reader.next()) {
      expect(reader.buffer[reader.start]).toBe(type)
      frames.push(Buffer.from(reader.buffer.subarray(reader.start, reader.end)))
    }
  }
  return frames
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [0, ...[...new Set(at.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b), bytes.length]
  return places.slice(1).map((place, index) => bytes.subarray(places[index], place))
}

const message = fc
  .tuple(fc.integer({ min: 1, max: 255 }), fc.uint8Array({ maxLength: 40 }))
  .map(([type, body]) => rawMessage(String.fromCharCode(type), Buffer.from(body)))

test('however a stream is cut into chunks, the same messages come out', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 30 }), (messages, places) => {
      expect(framesOf(cut(Buffer.concat(messages), places))).toEqual(messages)
    }),
  )
})

test('a stream that comes byte by byte gives the same messages', () => {
  const messages = [query('select 1'), sync(), rawMessage('d', Buffer.alloc(300, 7)), sync()]
  const bytes = Array.from(Buffer.concat(messages), (byte) => Buffer.from([byte]))
  expect(framesOf(bytes)).toEqual(messages)
})

test('a message without its last byte is not given out', () => {
  const bytes = query('select 1')
  expect(framesOf([bytes.subarray(0, -1)])).toEqual([])
})

test('messages of one chunk lie in that chunk, uncopied', () => {
  const chunk = Buffer.concat([query('select 1'), query('select 2')])
  const reader = new FrameReader()
  reader.push(chunk)
  for (const _ of [1, 2]) {
    expect(reader.next()).toBe('Q'.charCodeAt(0))
    expect(reader.buffer).toBe(chunk)
  }
})

test('a message of a thousand chunks is put together once, not at each of them', () => {
  const bytes = rawMessage('d', Buffer.alloc(100_000, 1))
  const chunks = cut(
    bytes,
    Array.from({ length: 1000 }, (_, index) => index * 100),
  )
  const concat = vi.spyOn(Buffer, 'concat')
  try {
    expect(framesOf(chunks)).toHaveLength(1)
    expect(concat.mock.calls.length).toBeLessThanOrEqual(2)
  } finally {
    concat.mockRestore()
  }
})

test.each([-2147483648, -5, 0, 3, maxMessageLength + 1, 0x7fffffff])(
  'a length of %i is refused as soon as it is read',
  (length) => {
    const reader = new FrameReader()
    reader.push(lyingMessage('Q', length, Buffer.alloc(0)))
    expect(() => reader.next()).toThrow(ProtocolViolation)
    expect(() => reader.next()).toThrow(expect.objectContaining({ code: '08P01' }))
  },
)

test('the longest message of a limit is taken, one byte more is not', () => {
  const longest = rawMessage('d', Buffer.alloc(96))
  expect(framesOf([longest], new FrameReader(100))).toEqual([longest])
  expect(() => framesOf([rawMessage('d', Buffer.alloc(97))], new FrameReader(100))).toThrow(ProtocolViolation)
})

test('fields that end before or behind their message are told apart', () => {
  expect(() => expectEnd(10, 10)).not.toThrow()
  expect(() => expectEnd(11, 10)).toThrow('insufficient data left in message')
  expect(() => expectEnd(9, 10)).toThrow('invalid message format')
})

test('a type is shown as its letter, or as its byte where it has none', () => {
  expect(describeType('Q'.charCodeAt(0))).toBe("'Q'")
  expect(describeType(7)).toBe('0x07')
})
