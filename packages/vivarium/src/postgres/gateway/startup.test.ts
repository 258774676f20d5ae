import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cancelRequest, gssencRequest, query, sslRequest, startup } from '../../../test/support/wire-messages.ts'
import { ProtocolViolation } from '../protocol/frame-reader.ts'
import { StartupReader } from './startup.ts'
import type { StartupRequest } from './startup.ts'

function take(...chunks: Buffer[]): StartupRequest | undefined {
  const reader = new StartupReader()
  for (const chunk of chunks) reader.push(chunk)
  return reader.take()
}

function packet(...body: number[]): Buffer {
  const bytes = Buffer.alloc(4 + body.length)
  bytes.writeInt32BE(bytes.length)
  bytes.set(body, 4)
  return bytes
}

test('a session’s parameters are read, options of the protocol apart', () => {
  const request = take(startup({ user: 'me', database: 'ü', '_pq_.x': '1', empty: '' }))
  expect(request).toEqual({
    kind: 'session',
    minorVersion: 0,
    parameters: new Map([
      ['user', 'me'],
      ['database', 'ü'],
      ['empty', ''],
    ]),
    protocolOptions: ['_pq_.x'],
  })
})

test('a newer minor version is let in and remembered, so that it can be answered', () => {
  expect(take(startup({ user: 'me' }, 196_610))).toMatchObject({ kind: 'session', minorVersion: 2 })
})

test('requests for encryption are told from sessions', () => {
  expect(take(sslRequest())).toEqual({ kind: 'encryption' })
  expect(take(gssencRequest())).toEqual({ kind: 'encryption' })
})

test('a cancel request is read with its key', () => {
  expect(take(cancelRequest(7, Buffer.from([0, 0, 1, 2])))).toEqual({ kind: 'cancel', processId: 7, secretKey: 258 })
})

test('however a packet is cut, it comes out once, whole, and what follows it is kept', () => {
  const bytes = Buffer.concat([startup({ user: 'me', database: 'shop' }), query('select 1')])
  const length = bytes.length - query('select 1').length
  fc.assert(
    fc.property(fc.nat(bytes.length), fc.nat(bytes.length), (a, b) => {
      const [first, second] = a < b ? [a, b] : [b, a]
      const reader = new StartupReader()
      const taken: (StartupRequest | undefined)[] = []
      for (const chunk of [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]) {
        reader.push(chunk)
        if (taken.length === 0) {
          const request = reader.take()
          if (request !== undefined) taken.push(request)
        }
      }
      expect(taken).toEqual([take(bytes.subarray(0, length))])
      expect(reader.rest).toEqual(bytes.subarray(length))
    }),
  )
})

test.each([0, 1, 3, 4, 20])('of a packet only %i bytes of which have come nothing is taken', (length) => {
  expect(take(startup({ user: 'a name that is long enough' }).subarray(0, length))).toBeUndefined()
})

test.each<[string, Buffer, string]>([
  ['with a length too small', Buffer.from([0, 0, 0, 7, 0, 3, 0, 0]), '08P01'],
  ['with a negative length', Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 3, 0, 0]), '08P01'],
  ['above the server’s bound, before it has come', Buffer.from([0, 0, 0x27, 0x11, 0, 3, 0, 0]), '08P01'],
  ['without its final zero', packet(0, 3, 0, 0, ...Buffer.from('user\0me\0')), '08P01'],
  ['whose last text has no end', packet(0, 3, 0, 0, ...Buffer.from('user\0me')), '08P01'],
  ['of another protocol', packet(0, 2, 0, 0, 0), '0A000'],
  ['that is HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), '08P01'],
  ['to cancel, without its key', packet(0x04, 0xd2, 0x16, 0x2e, 0, 0, 0, 1), '08P01'],
])('a start-up %s is refused', (_what, bytes, code) => {
  expect(() => take(bytes)).toThrow(ProtocolViolation)
  expect(() => take(bytes)).toThrow(expect.objectContaining({ code }))
})
