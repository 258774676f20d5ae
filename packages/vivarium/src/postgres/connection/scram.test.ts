import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { expect, test } from 'vitest'
import { startScram } from './scram.ts'

/** What RFC 5802, section 3, says a client proves and a server answers; checked below against RFC 7677's example. */
function proofs(password: string, salt: Buffer, iterations: number, authMessage: string): { p: string; v: string } {
  const hmac = (key: Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest()
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const clientKey = hmac(salted, 'Client Key')
  const signature = hmac(createHash('sha256').update(clientKey).digest(), authMessage)
  const p = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0))).toString('base64')
  return { p, v: hmac(hmac(salted, 'Server Key'), authMessage).toString('base64') }
}

const salt = 'W22ZaJ0SNY7soEsUEjb6gQ=='

test('the formulas of this test give the example of RFC 7677', () => {
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
  const authMessage = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=${salt},i=4096,c=biws,r=${nonce}`
  expect(proofs('pencil', Buffer.from(salt, 'base64'), 4096, authMessage)).toEqual({
    p: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    v: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  })
})

test.each(['pencil', 'pässwörd', 'with,comma=and:more'])(
  'the password %s is proved, and the server proves it too',
  (password) => {
    const exchange = startScram(password)
    const first = /^n,,(n=\*,r=(.+))$/.exec(exchange.clientFirst)
    const nonce = `${first?.[2]}server`
    const serverFirst = `r=${nonce},s=${salt},i=4096`
    const authMessage = `${first?.[1]},${serverFirst},c=biws,r=${nonce}`
    const { p, v } = proofs(password.normalize('NFKC'), Buffer.from(salt, 'base64'), 4096, authMessage)
    expect(exchange.clientFinal(serverFirst)).toBe(`c=biws,r=${nonce},p=${p}`)
    expect(exchange.verify(`v=${v}`)).toBe(true)
    expect(exchange.verify(`v=${p}`)).toBe(false)
    expect(exchange.verify('e=other-error')).toBe(false)
  },
)

test('two exchanges never use the same nonce', () => {
  expect(startScram('a').clientFirst).not.toBe(startScram('a').clientFirst)
})

test.each([
  ['another nonce than ours', `r=foreign,s=${salt},i=4096`],
  ['no salt', 'r=NONCE,i=4096'],
  ['no iterations', `r=NONCE,s=${salt},i=0`],
])('a server that sends %s is refused', (_what, serverFirst) => {
  const exchange = startScram('pencil')
  const nonce = exchange.clientFirst.slice('n,,n=*,r='.length)
  expect(() => exchange.clientFinal(serverFirst.replace('NONCE', `${nonce}x`))).toThrow('malformed SCRAM')
})

test('a server that skips the exchange has proved nothing', () => {
  expect(startScram('pencil').verify('v=')).toBe(false)
})
