// Signing in takes the same work whether the email is known or not: how long it took tells nobody who has registered.
import * as crypto from 'node:crypto'
import { beforeEach, expect, test, vi } from 'vitest'
import { given } from '../support/factories.ts'
import { openTestApp } from '../support/test-app.ts'

// What is slow about a password is this function. It stays what it is, and is counted.
vi.mock('node:crypto', async (importOriginal) => {
  const original = await importOriginal<typeof crypto>()
  return { ...original, scrypt: vi.fn<typeof crypto.scrypt>(original.scrypt) }
})

const { shop, ask } = openTestApp()
const ada = { email: 'ada@example.com', password: 'correct horse battery' }

beforeEach(async () => {
  await shop.accounts.registerUser(ada)
  await given.insert('user', { email: 'grace@example.com' })
  vi.mocked(crypto.scrypt).mockClear()
})

test.each([
  ['the right password', ada, 201],
  ['a wrong password', { ...ada, password: 'correct horse' }, 401],
  ['an email that nobody has', { ...ada, email: 'nobody@example.com' }, 401],
  ['somebody who has no password', { ...ada, email: 'grace@example.com' }, 401],
])('%s: one password is derived', async (_, json, status) => {
  expect(await ask('POST /api/session', { json })).toMatchObject({ status })
  expect(crypto.scrypt).toHaveBeenCalledTimes(1)
})
