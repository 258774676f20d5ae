import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bind, rawMessage, sync } from '../../../test/support/wire-messages.ts'
import { ProtocolViolation } from '../protocol/frame-reader.ts'
import { readBindNames, readBindValues } from './client-statement.ts'

function read(message: Buffer): unknown[] {
  const { restStart } = readBindNames(message, 5, message.length)
  return readBindValues(message, restStart, message.length)
}

test('the names are read, and where the values start', () => {
  const message = bind({ portal: 'pörtal', statement: 's' })
  const parts = readBindNames(message, 5, message.length)
  expect(parts).toMatchObject({ portal: 'pörtal', statement: 's' })
  expect(message.subarray(parts.restStart).toString('hex')).toBe('000000000000')
})

test('values of text format are texts, of binary format bytes, and NULL is null', () => {
  const values = ['ä', null, '']
  expect(read(bind({ values }))).toEqual(values)
  expect(read(bind({ values: [Buffer.from([0, 255]), null], formats: [1] }))).toEqual([Uint8Array.of(0, 255), null])
  expect(read(bind({ values: ['a', Buffer.from([1])], formats: [0, 1], resultFormats: [1, 0, 1] }))).toEqual([
    'a',
    Uint8Array.of(1),
  ])
})

test('binary values are copies: the bytes that they came in are used again', () => {
  const message = bind({ values: [Buffer.from([1, 2])], formats: [1] })
  const [value] = read(message)
  message.fill(0)
  expect(value).toEqual(Uint8Array.of(1, 2))
})

test('a Bind cut short anywhere is refused, whatever lies behind it', () => {
  const whole = bind({ portal: 'p', statement: 's', values: ['some text', null, Buffer.from([1])], resultFormats: [0] })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: whole.length - 6 }), fc.boolean(), (length, followed) => {
      const short = rawMessage('B', whole.subarray(5, 5 + length))
      const bytes = followed ? Buffer.concat([short, sync(), whole]) : short
      const readIt = (): unknown => {
        const { restStart } = readBindNames(bytes, 5, short.length)
        return readBindValues(bytes, restStart, short.length)
      }
      let seen: unknown
      try {
        readIt()
      } catch (error) {
        seen = error
      }
      expect(seen instanceof ProtocolViolation || seen instanceof RangeError).toBe(true)
    }),
  )
})

test.each<[string, number[]]>([
  ['a value longer than the message', [0, 0, 0, 0, 0, 1, 0, 0, 0, 99, 65, 0, 0]],
  ['a value of the greatest length', [0, 0, 0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff, 65, 0, 0]],
  ['more values than there are', [0, 0, 0, 0, 0xff, 0xff, 0, 0]],
  ['more formats than there are', [0, 0, 0xff, 0xff, 0, 0, 0, 0]],
  ['bytes behind its end', [0, 0, 0, 0, 0, 0, 0, 0, 7]],
  ['no result formats', [0, 0, 0, 0, 0, 0]],
])('a Bind with %s is refused', (_what, body) => {
  expect(() => read(rawMessage('B', Buffer.from(body)))).toThrow(/message|out of range|outside/)
})
