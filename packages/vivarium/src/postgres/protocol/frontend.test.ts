import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as wire from '../../../test/support/wire-messages.ts'
import * as frontend from './frontend.ts'

/** Any text that the protocol can carry: it ends texts with a zero. */
const text = fc.string({ unit: 'binary' }).filter((value) => !value.includes('\0'))

const secret = Buffer.from([1, 2, 3, 4])

test.each<[string, Buffer, Buffer]>([
  ['a start-up', frontend.encodeStartup({ user: 'ü', database: 'd' }), wire.startup({ user: 'ü', database: 'd' })],
  ['a request for TLS', frontend.encodeSslRequest(), wire.sslRequest()],
  ['a cancel request', frontend.encodeCancelRequest(-7, secret), wire.cancelRequest(-7, secret)],
  ['a password', frontend.encodePassword('pässword'), wire.passwordMessage('pässword')],
  ['a first SASL message', frontend.encodeSaslInitial('SCRAM', 'n,,é'), wire.saslInitialResponse('SCRAM', 'n,,é')],
  ['a SASL message', frontend.encodeSaslResponse('c=biws'), wire.saslResponse('c=biws')],
  ['a query', frontend.encodeQuery('select 1'), wire.query('select 1')],
  ['an empty query', frontend.encodeQuery(''), wire.query('')],
  ['a Parse', frontend.encodeParse('a', 'select $1', [23, 0]), wire.parse('select $1', 'a', [23, 0])],
  ['a Parse without types', frontend.encodeParse('', 'select 1'), wire.parse('select 1')],
  [
    'a Bind',
    frontend.encodeBind('p', 's', ['ä', null, '']),
    wire.bind({ portal: 'p', statement: 's', values: ['ä', null, ''] }),
  ],
  ['a Describe of a statement', frontend.encodeDescribe('statement', 's'), wire.describeStatement('s')],
  ['a Describe of a portal', frontend.encodeDescribe('portal', 'p'), wire.describePortal('p')],
  ['a Close of a statement', frontend.encodeClose('statement', 's'), wire.closeStatement('s')],
  ['a Close of a portal', frontend.encodeClose('portal', 'p'), wire.closePortal('p')],
  ['an Execute', frontend.encodeExecute('p', 7), wire.execute('p', 7)],
  ['an Execute of all rows', frontend.encodeExecute(''), wire.execute()],
  ['a CopyFail', frontend.encodeCopyFail('no'), wire.copyFail('no')],
  ['a Sync', frontend.syncMessage, wire.sync()],
  ['a Flush', frontend.flushMessage, wire.flush()],
  ['a Terminate', frontend.terminateMessage, wire.terminate()],
])('%s has the bytes that the protocol’s documentation gives it', (_what, ours, theirs) => {
  expect(ours.toString('hex')).toBe(theirs.toString('hex'))
})

test('a query of any text has the right length and bytes', () => {
  fc.assert(fc.property(text, (value) => frontend.encodeQuery(value).equals(wire.query(value))))
})

test('a Parse and a Bind of any texts have the right lengths and bytes', () => {
  fc.assert(
    fc.property(text, text, fc.array(fc.option(fc.string({ unit: 'binary' })), { maxLength: 5 }), (a, b, values) => {
      expect(frontend.encodeParse(a, b).equals(wire.parse(b, a))).toBe(true)
      expect(frontend.encodeBind(a, b, values).equals(wire.bind({ portal: a, statement: b, values }))).toBe(true)
    }),
  )
})
