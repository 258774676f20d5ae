import { expect, test } from 'vitest'
import { resolveMail } from './options.ts'

const context = { source: 'vivarium.config.ts' }

test('left out, the URL goes into SMTP_URL, a mail may have 50 MB, and STARTTLS is not offered', () => {
  expect(resolveMail({}, context)).toEqual({ env: { url: 'SMTP_URL' }, maxBytes: 52_428_800, offerTls: false })
})

test('the variable has another name, or there is one each for host and port', () => {
  expect(resolveMail({ env: 'MAIL_URL' }, context).env).toEqual({ url: 'MAIL_URL' })
  expect(resolveMail({ env: { host: 'SMTP_HOST', port: 'SMTP_PORT' } }, context).env).toMatchObject({
    url: undefined,
    host: 'SMTP_HOST',
    port: 'SMTP_PORT',
  })
})

test.each([
  [true, /`mail`[\s\S]*an object/],
  [{ environment: 'X' }, /`mail\.environment`/],
  [{ env: '' }, /`mail\.env`/],
  [{ env: { uri: 'X' } }, /`mail\.env\.uri`[\s\S]*`url`/],
  [{ maxBytes: 0 }, /`mail\.maxBytes`/],
  [{ offerTls: 'yes' }, /`mail\.offerTls`/],
])('%j is refused, by name', (given, message) => {
  expect(() => resolveMail(given, context)).toThrow(message)
})
