import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rawMessage } from '../../../test/support/wire-messages.ts'
import { MessageWriter } from './writer.ts'

test('however small it starts, it grows to what is written', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 2000 }), (text, bytes) => {
      const written = new MessageWriter(5).begin(0x51).text(text).bytes(bytes).byte(7).end().take()
      expect(written.equals(rawMessage('Q', Buffer.from(text), Buffer.from(bytes), Buffer.from([7])))).toBe(true)
    }),
  )
})

test('several messages lie side by side, each with its own length', () => {
  const writer = new MessageWriter(5)
  writer.begin(0x51).cstring('a').end().begin(0x53).end().begin(0).int32(196608).end()
  expect(writer.length).toBe(7 + 5 + 8)
  expect(writer.take().toString('hex')).toBe('51000000066100' + '5300000004' + '0000000800030000')
})

test('numbers are signed or not as they were given, in network order', () => {
  const bytes = new MessageWriter().begin(0).int16(0xffff).int16(1).int32(-1).int32(0xffffffff).end().take()
  expect(bytes.subarray(4).toString('hex')).toBe('ffff0001ffffffffffffffff')
})

test('what was taken stays as it is when more is written', () => {
  const writer = new MessageWriter()
  const first = writer.begin(0x51).cstring('first').end().take()
  const copy = Buffer.from(first)
  expect(writer.length).toBe(0)
  const second = writer.begin(0x51).cstring('other').end().take()
  expect(first).toEqual(copy)
  expect(second).toEqual(rawMessage('Q', Buffer.from('other\0')))
})
