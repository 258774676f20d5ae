import { expect, test } from 'vitest'
import { classify } from '../sql/classify.ts'
import {
  afterSet,
  endsSession,
  isReadOnlyByDefault,
  noSettings,
  restoreInitial,
  settingsSteps,
  showsWarnings,
  unknownSettings,
  withSetting,
} from './settings.ts'
import type { Settings } from './settings.ts'

/** Settings after these statements on a connection whose start-up asked for `initial`. */
function after(statements: readonly string[], initial: Settings = noSettings): Settings {
  let settings = initial
  for (const text of statements) {
    const [statement] = classify(text)
    if (statement?.kind !== 'set') throw new Error(`not a SET: ${text}`)
    settings = afterSet(settings, statement, initial)
  }
  return settings
}

const plain = after([`set timezone to 'UTC'`])
const asRole = after([`set role reader`, `set search_path to app`])
const asUser = after([`set search_path to app`, `set session authorization someone`])

test.each<[string, Settings, Settings, string[]]>([
  ['nothing, from nothing', noSettings, noSettings, []],
  ['the same, made again', plain, after([`set timezone to 'UTC'`]), []],
  ['settings, from nothing', noSettings, plain, [...plain.statements.values()]],
  ['nothing, from settings', plain, noSettings, ['RESET ALL']],
  ['other settings', plain, asRole, ['RESET ALL', ...asRole.statements.values()]],
  ['nothing, from a role', asRole, noSettings, ['RESET ROLE', 'RESET ALL']],
  ['nothing, from another user', asUser, noSettings, ['RESET SESSION AUTHORIZATION', 'RESET ALL']],
  [
    'nothing, from what is not known',
    unknownSettings,
    noSettings,
    ['RESET SESSION AUTHORIZATION', 'RESET ROLE', 'RESET ALL'],
  ],
])('a session is brought to %s by exactly the steps it takes', (_what, applied, wanted, steps) => {
  expect(settingsSteps(applied, wanted)).toEqual(steps)
})

test('who the session is comes first, whatever was set first: it decides what else may be set', () => {
  expect(settingsSteps(noSettings, asUser)[0]).toMatch(/session authorization/i)
  const both = withSetting(asUser, 'role', 'SET role TO reader')
  expect(settingsSteps(noSettings, both).map((step) => /authorization|role|search_path/i.exec(step)?.[0])).toEqual([
    'authorization',
    'role',
    'search_path',
  ])
})

test('another user starts without a role', () => {
  expect([...after([`set role reader`, `set session authorization someone`]).statements.keys()]).toEqual([
    'session_authorization',
  ])
})

test('a setting made again stands where it was made last', () => {
  expect([...after([`set a.x to 1`, `set a.y to 1`, `set a.x to 2`]).statements.keys()]).toEqual(['a.y', 'a.x'])
})

test('the default is what the start-up asked for, else the server’s', () => {
  const initial = after([`set timezone to 'Asia/Tokyo'`])
  expect(after([`set timezone to 'UTC'`, `set timezone to default`], initial).key).toBe(initial.key)
  expect(restoreInitial(plain, 'timezone', initial).key).toBe(initial.key)
  expect(restoreInitial(plain, 'timezone', noSettings).key).toBe(noSettings.key)
})

test('taking away what is not there changes nothing', () => {
  expect(restoreInitial(plain, 'lc_messages', noSettings)).toBe(plain)
})

test.each(['on', 'true', 'yes', '1', `'on'`])(
  'default_transaction_read_only = %s makes transactions read-only',
  (value) => {
    expect(isReadOnlyByDefault(after([`set default_transaction_read_only = ${value}`]))).toBe(true)
  },
)

test.each(['off', 'false', '0', `'no'`])('default_transaction_read_only = %s does not', (value) => {
  expect(isReadOnlyByDefault(after([`set default_transaction_read_only = ${value}`]))).toBe(false)
})

test('a client that asked for errors only is shown no warning', () => {
  expect(showsWarnings(noSettings)).toBe(true)
  expect(showsWarnings(after([`set client_min_messages to warning`]))).toBe(true)
  expect(showsWarnings(after([`set client_min_messages to error`]))).toBe(false)
})

test('what would end the one real session is known', () => {
  expect(
    ['idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout'].every(endsSession),
  ).toBe(true)
  expect(endsSession('statement_timeout')).toBe(false)
})
