import { expect, test } from 'vitest'
import { AnswerSplitter } from '../../../test/support/wire-answers.ts'
import { rawMessage } from '../../../test/support/wire-messages.ts'
import * as backend from './backend.ts'
import { encodeOwnMessage, readMessageFields, toServerMessage } from './server-message.ts'

test.each<[string, Buffer, Buffer]>([
  ['ParseComplete', backend.parseComplete, rawMessage('1')],
  ['BindComplete', backend.bindComplete, rawMessage('2')],
  ['CloseComplete', backend.closeComplete, rawMessage('3')],
  ['NoData', backend.noData, rawMessage('n')],
  ['an empty ParameterDescription', backend.noParameters, rawMessage('t', Buffer.from([0, 0]))],
  ['AuthenticationOk', backend.authenticationOk, rawMessage('R', Buffer.from([0, 0, 0, 0]))],
  ['AuthenticationCleartextPassword', backend.authenticationCleartext, rawMessage('R', Buffer.from([0, 0, 0, 3]))],
  ['ReadyForQuery when idle', backend.readyForQuery.I, rawMessage('Z', Buffer.from('I'))],
  ['ReadyForQuery in a transaction', backend.readyForQuery.T, rawMessage('Z', Buffer.from('T'))],
  ['ReadyForQuery in a failed one', backend.readyForQuery.E, rawMessage('Z', Buffer.from('E'))],
  ['CommandComplete', backend.encodeCommandComplete('INSERT 0 1'), rawMessage('C', Buffer.from('INSERT 0 1\0'))],
  ['ParameterStatus', backend.encodeParameterStatus('a', 'ü'), rawMessage('S', Buffer.from('a\0ü\0'))],
  [
    'BackendKeyData',
    backend.encodeBackendKeyData(258, -1),
    rawMessage('K', Buffer.from([0, 0, 1, 2, 255, 255, 255, 255])),
  ],
  [
    'NegotiateProtocolVersion',
    backend.encodeNegotiateProtocolVersion(0, ['_pq_.x']),
    rawMessage('v', Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]), Buffer.from('_pq_.x\0')),
  ],
])('%s has the bytes that the protocol’s documentation gives it', (_what, ours, theirs) => {
  expect(ours.toString('hex')).toBe(theirs.toString('hex'))
})

test('a text that ends with a zero is read up to it, and never beyond its message', () => {
  const bytes = Buffer.from('ab\0cd\0ef')
  expect(backend.readCString(bytes, 0, 8)).toBe('ab')
  expect(backend.readCString(bytes, 3, 8)).toBe('cd')
  expect(backend.readCString(bytes, 3, 5)).toBe('cd')
  expect(backend.readCString(bytes, 6, 8)).toBe('ef')
})

test('an error of ours is read as what it says by an independent reader', () => {
  const [answer] = new AnswerSplitter().push(
    encodeOwnMessage({ code: '25P02', message: 'nö', detail: 'd', hint: 'h', position: 4, file: 'f.c', routine: 'r' }),
  )
  expect(answer?.type).toBe('ErrorResponse')
  expect(answer?.fields).toEqual({
    S: 'ERROR',
    V: 'ERROR',
    C: '25P02',
    M: 'nö',
    D: 'd',
    H: 'h',
    P: '4',
    F: 'f.c',
    R: 'r',
  })
})

test.each(['WARNING', 'NOTICE'] as const)('a %s of ours is a notice, which ends nothing', (severity) => {
  const [answer] = new AnswerSplitter().push(encodeOwnMessage({ severity, code: '25P01', message: 'm' }))
  expect(answer).toMatchObject({ type: 'NoticeResponse', fields: { S: severity, C: '25P01' } })
})

test('an error of the server is read with its fields named', () => {
  const body = Buffer.from('SFEHLER\0VERROR\0C23505\0Mtwice\0DKey\0P12\0nkey\0tname\0\0')
  const fields = readMessageFields(body, 0, body.length)
  expect(toServerMessage(fields)).toEqual({
    severity: 'ERROR',
    code: '23505',
    message: 'twice',
    detail: 'Key',
    hint: undefined,
    position: 12,
    where: undefined,
    schema: undefined,
    table: 'name',
    column: undefined,
    constraint: 'key',
  })
})

test('an error that ends in the middle of a field is read as far as it goes', () => {
  const body = Buffer.from('SERROR\0Mhalf a mess')
  expect(readMessageFields(body, 0, body.length)).toEqual({ S: 'ERROR', M: 'half a mess' })
})
