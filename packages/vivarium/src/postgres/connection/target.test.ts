import { inspect } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { describeTarget, formatPostgresUrl, parsePostgresUrl } from './target.ts'
import type { ConnectionTarget } from './target.ts'

const plain: ConnectionTarget = {
  host: 'db.example',
  port: 5433,
  socketFolder: undefined,
  user: 'me',
  password: 'secret',
  database: 'shop',
  tls: undefined,
  parameters: {},
}

test.each<[string, string, Partial<ConnectionTarget>]>([
  ['every part', 'postgres://me:secret@db.example:5433/shop', {}],
  ['the other scheme', 'postgresql://me:secret@db.example:5433/shop', {}],
  ['no port', 'postgres://me:secret@db.example/shop', { port: 5432 }],
  ['no password', 'postgres://me@db.example:5433/shop', { password: undefined }],
  ['no database: the user’s', 'postgres://me:secret@db.example:5433', { database: 'me' }],
  ['only a host', 'postgres://db.example', { port: 5432, user: 'postgres', password: undefined, database: 'postgres' }],
  ['an IPv6 host', 'postgres://me:secret@[::1]:5433/shop', { host: '::1' }],
  ['a TLS mode', 'postgres://me:secret@db.example:5433/shop?sslmode=require', { tls: 'require' }],
  [
    'start-up parameters',
    'postgres://me:secret@db.example:5433/shop?application_name=a%20b&search_path=x,y',
    { parameters: { application_name: 'a b', search_path: 'x,y' } },
  ],
  [
    'host and port as parameters',
    'postgres:///shop?host=db.example&port=5433',
    { user: 'postgres', password: undefined },
  ],
  [
    'special characters',
    'postgres://m%40e:%3A%2F%3F%23%25@db.example:5433/my%2Fshop',
    { user: 'm@e', password: ':/?#%', database: 'my/shop' },
  ],
])('a URL with %s is read', (_what, url, parts) => {
  expect(parsePostgresUrl(url)).toEqual({ ...plain, ...parts })
})

test.each([
  ['with the user before it', 'postgres://me@/shop?host=/run/pg&port=5433'],
  ['with a host beside it', 'postgres://me@localhost:5433/shop?host=/run/pg'],
])('a URL with a socket folder, %s, is read and written again', (_what, url) => {
  const target = parsePostgresUrl(url)
  expect(target).toMatchObject({ socketFolder: '/run/pg', port: 5433, user: 'me', database: 'shop' })
  expect(parsePostgresUrl(formatPostgresUrl(target))).toEqual(target)
})

test('what is reached by TCP as well is written as TCP: every tool reads that', () => {
  const target = { ...plain, host: '127.0.0.1', socketFolder: '/run/pg' }
  expect(formatPostgresUrl(target)).toBe('postgres://me:secret@127.0.0.1:5433/shop')
})

test('any user, password, database and parameter survive the way through a URL', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((value) => !/^\.{1,2}$/.test(value))
  const target = fc.record({
    host: fc.constantFrom('127.0.0.1', 'db.example', '::1', 'fe80::1'),
    port: fc.integer({ min: 1, max: 65535 }),
    socketFolder: fc.constant(undefined),
    user: text,
    password: fc.option(text, { nil: undefined }),
    database: text,
    tls: fc.constantFrom(undefined, 'disable' as const, 'verify-full' as const),
    parameters: fc.dictionary(fc.constantFrom('application_name', 'options', 'search_path'), text, {
      noNullPrototype: true,
    }),
  })
  fc.assert(
    fc.property(target, (one) => {
      expect(parsePostgresUrl(formatPostgresUrl(one))).toEqual(one)
    }),
  )
})

test.each([
  ['is no URL', 'me:hunter2@host/db'],
  ['has another scheme', 'mysql://me:hunter2@host/db'],
  ['has an impossible port', 'postgres://me:hunter2@host:99999/db'],
  ['has a percent sign that encodes nothing', 'postgres://me:hunter2%@host/db'],
  ['asks for a TLS mode that does not exist', 'postgres://me:hunter2@host/db?sslmode=sometimes'],
])('a URL that %s is refused with a code, and the password is never shown', (_what, url) => {
  let seen: unknown
  try {
    parsePostgresUrl(url)
  } catch (error) {
    seen = error
  }
  expect(seen).toMatchObject({ name: 'VivariumError', code: 'CONFIG_INVALID' })
  // As a runner prints it: cause and properties included.
  expect(inspect(seen, { depth: 10 })).not.toContain('hunter2')
})

test('a target is described without its password', () => {
  expect(describeTarget(plain)).toBe('database "shop" on db.example:5433 as "me"')
  expect(describeTarget({ ...plain, socketFolder: '/run/pg' })).toBe('database "shop" on /run/pg as "me"')
})
