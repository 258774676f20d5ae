import { expect, test } from 'vitest'
import {
  begin,
  commit,
  fail,
  findSavepoint,
  initialState,
  popSavepoints,
  pushSavepoint,
  rollback,
  rollbackToSavepoint,
  statusByte,
  withLocalSettings,
  withQuery,
  withSettings,
} from './connection-state.ts'
import type { ConnectionState } from './connection-state.ts'
import { noSettings, withSetting } from './settings.ts'

const berlin = withSetting(noSettings, 'timezone', `SET timezone TO 'Europe/Berlin'`)
const german = withSetting(berlin, 'lc_messages', `SET lc_messages TO 'de'`)

function inTransaction(): Extract<ConnectionState, { status: 'inTransaction' }> {
  const state = begin({ status: 'idle', settings: berlin }, 1, {})
  if (state.status !== 'inTransaction') throw new Error('begin began nothing')
  return state
}

function savepoints(state: ConnectionState): string[] {
  return state.status === 'idle' ? [] : state.transaction.savepoints.map(({ name }) => name)
}

test('the status byte is the one that production would send', () => {
  expect(statusByte(initialState)).toBe('I')
  expect(statusByte(inTransaction())).toBe('T')
  expect(statusByte(fail(inTransaction()))).toBe('E')
})

test('an error taints a transaction, and nothing outside one', () => {
  expect(fail(initialState)).toBe(initialState)
  expect(fail(fail(inTransaction())).status).toBe('failed')
})

test('what was set in a transaction stays after its commit and goes with its rollback', () => {
  const changed = withSettings(inTransaction(), german)
  expect(commit(changed)).toEqual({ status: 'idle', settings: german })
  expect(rollback(changed)).toEqual({ status: 'idle', settings: berlin })
  expect(rollback(fail(changed))).toEqual({ status: 'idle', settings: berlin })
})

test('a rollback outside a transaction changes no setting', () => {
  expect(rollback({ status: 'idle', settings: berlin }).settings).toBe(berlin)
})

test('of two savepoints of one name the inner one is meant, and the outer one again after its release', () => {
  let state = pushSavepoint(pushSavepoint(pushSavepoint(inTransaction(), 'a'), 'b'), 'a')
  const found = (name: string): number => (state.status === 'idle' ? -2 : findSavepoint(state.transaction, name))
  expect([found('a'), found('b'), found('c')]).toEqual([2, 1, -1])
  state = popSavepoints(state, found('a'))
  expect([found('a'), found('b')]).toEqual([0, 1])
  state = popSavepoints(state, found('a'))
  expect(savepoints(state)).toEqual([])
})

test('a rollback to a savepoint keeps it, ends those after it, brings its settings back and the transaction to life', () => {
  const atA = withSettings(pushSavepoint(inTransaction(), 'a'), german)
  const failed = fail(pushSavepoint(atA, 'b'))
  const back = rollbackToSavepoint(failed, 0)
  expect(back.status).toBe('inTransaction')
  expect(savepoints(back)).toEqual(['a'])
  expect(back.settings).toBe(berlin)
})

test('what a state is made from is never changed', () => {
  const before = inTransaction()
  pushSavepoint(before, 'a')
  withLocalSettings(before)
  withQuery(before)
  fail(before)
  expect(before).toEqual(inTransaction())
})

test('marks of a transaction are set once and mean nothing outside one', () => {
  expect(withLocalSettings(initialState)).toBe(initialState)
  expect(withQuery(initialState)).toBe(initialState)
  const marked = withLocalSettings(withQuery(inTransaction()))
  expect(marked).toMatchObject({ transaction: { hasQueried: true, hasLocalSettings: true } })
  expect(withLocalSettings(withQuery(marked))).toBe(marked)
})
