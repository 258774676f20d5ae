import { expect, test } from 'vitest'
import { classify } from '../sql/classify.ts'
import type { Statement } from '../sql/statement.ts'
import { begin, fail, initialState, pushSavepoint, statusByte, withQuery } from './connection-state.ts'
import type { ConnectionState } from './connection-state.ts'
import { noSettings, withSetting } from './settings.ts'
import { planStatement } from './statement-plan.ts'
import type { StatementPlan } from './plan.ts'

/** In a transaction with one savepoint, `s`. */
const open = pushSavepoint(begin(initialState, 1, {}), 's')

function only(text: string): Statement {
  const [statement, more] = classify(text)
  if (statement === undefined || more !== undefined) throw new Error(`not one statement: ${text}`)
  return statement
}

function plan(text: string, state: ConnectionState, implicitBlock = false): StatementPlan {
  return planStatement(only(text), state, {
    implicitBlock,
    startsUnit: true,
    sessionBeforeUnit: initialState,
    initialSettings: noSettings,
    shared: { processId: 4711, params: [], depth: 1, othersHaveTemporary: false, routineTables: [] },
    nextTransactionNumber: () => 2,
  })
}

/** What a client sees, and what becomes of its work: tag or refusal, warnings, our statements, status afterwards. */
function summary(text: string, state: ConnectionState, implicitBlock = false): string {
  const { error, forward, tag, controls, boundary, notice, fidelity, next } = plan(text, state, implicitBlock)
  if (error !== undefined) return `refused ${error.code}`
  return [
    forward ? 'forward' : tag,
    ...controls,
    boundary,
    notice && `warns ${notice.code}`,
    fidelity && `says ${fidelity.kind}`,
    statusByte(next),
  ]
    .filter((part) => part !== undefined)
    .join(', ')
}

// One line per statement: standing alone, in an implicit block, in a transaction, in a failed one.
test.each<[string, string, string, string, string]>([
  ['select 1', 'forward, I', 'forward, I', 'forward, T', 'forward, E'],
  ['begin', 'BEGIN, T', 'BEGIN, T', 'BEGIN, warns 25001, T', 'forward, E'],
  [
    'start transaction read only',
    'START TRANSACTION, SAVEPOINT vivarium_read_only, SET TRANSACTION READ ONLY, T',
    'START TRANSACTION, SAVEPOINT vivarium_read_only, SET TRANSACTION READ ONLY, T',
    'START TRANSACTION, SET TRANSACTION READ ONLY, warns 25001, T',
    'forward, E',
  ],
  [
    'begin isolation level serializable',
    `BEGIN, SET LOCAL vivarium.transaction_isolation TO 'serializable', says transaction-isolation, T`,
    `BEGIN, SET LOCAL vivarium.transaction_isolation TO 'serializable', says transaction-isolation, T`,
    `BEGIN, SET LOCAL vivarium.transaction_isolation TO 'serializable', warns 25001, says transaction-isolation, T`,
    'forward, E',
  ],
  ['commit', 'COMMIT, keep, warns 25P01, I', 'COMMIT, keep, warns 25P01, I', 'COMMIT, keep, I', 'ROLLBACK, undo, I'],
  ['end', 'COMMIT, keep, warns 25P01, I', 'COMMIT, keep, warns 25P01, I', 'COMMIT, keep, I', 'ROLLBACK, undo, I'],
  ['rollback', 'ROLLBACK, warns 25P01, I', 'ROLLBACK, undo, warns 25P01, I', 'ROLLBACK, undo, I', 'ROLLBACK, undo, I'],
  ['commit and chain', 'refused 25P01', 'refused 25P01', 'COMMIT, keep, T', 'ROLLBACK, undo, T'],
  ['rollback and chain', 'refused 25P01', 'refused 25P01', 'ROLLBACK, undo, T', 'ROLLBACK, undo, T'],
  ['savepoint a', 'refused 25P01', 'refused 25P01', 'SAVEPOINT, SAVEPOINT vivarium_s1, T', 'forward, E'],
  ['release s', 'refused 25P01', 'refused 25P01', 'RELEASE, RELEASE SAVEPOINT vivarium_s0, T', 'forward, E'],
  ['release other', 'refused 25P01', 'refused 25P01', 'refused 3B001', 'forward, E'],
  [
    'rollback to s',
    'refused 25P01',
    'refused 25P01',
    'ROLLBACK, ROLLBACK TO SAVEPOINT vivarium_s0, T',
    'ROLLBACK, ROLLBACK TO SAVEPOINT vivarium_s0, T',
  ],
  ['rollback to other', 'refused 25P01', 'refused 25P01', 'refused 3B001', 'refused 3B001'],
  [`prepare transaction 'x'`, 'refused 0A000', 'refused 0A000', 'refused 0A000', 'forward, E'],
  [`commit prepared 'x'`, 'refused 0A000', 'refused 0A000', 'refused 0A000', 'forward, E'],
  [
    'set transaction isolation level serializable',
    'SET, warns 25P01, I',
    `SET, SET LOCAL vivarium.transaction_isolation TO 'serializable', says transaction-isolation, I`,
    `SET, SET LOCAL vivarium.transaction_isolation TO 'serializable', says transaction-isolation, T`,
    'forward, E',
  ],
  [
    'set transaction read only',
    'SET, warns 25P01, I',
    'SET, SET TRANSACTION READ ONLY, I',
    'SET, SET TRANSACTION READ ONLY, T',
    'forward, E',
  ],
  ['set local a.x to 1', 'SET, set local a.x to 1, warns 25P01, I', 'forward, I', 'forward, T', 'forward, E'],
  ['set constraints all deferred', 'SET CONSTRAINTS, warns 25P01, I', 'forward, I', 'forward, T', 'forward, E'],
  ['declare c cursor for select 1', 'refused 25P01', 'forward, I', 'forward, T', 'forward, E'],
  ['declare c cursor with hold for select 1', 'forward, I', 'forward, I', 'forward, T', 'forward, E'],
  ['lock table parents', 'refused 25P01', 'forward, I', 'forward, T', 'forward, E'],
  [
    'set idle_session_timeout to 1',
    'SET, says session-timeout, I',
    'SET, says session-timeout, I',
    'SET, says session-timeout, T',
    'forward, E',
  ],
  ['deallocate all', 'DEALLOCATE ALL, I', 'DEALLOCATE ALL, I', 'DEALLOCATE ALL, T', 'forward, E'],
  [
    'listen changes',
    'forward, says listen-delivery, I',
    'forward, says listen-delivery, I',
    'forward, says listen-delivery, T',
    'forward, E',
  ],
])('%s has the effect that it has in production, wherever it stands', (text, alone, block, inside, failed) => {
  expect([
    summary(text, initialState),
    summary(text, initialState, true),
    summary(text, open),
    summary(text, fail(open)),
  ]).toEqual([alone, block, inside, failed])
})

test('DISCARD ALL stands alone only, and resets what the server would reset', () => {
  expect(plan('discard all', initialState)).toMatchObject({ forward: false, tag: 'DISCARD ALL', forgets: 'session' })
  expect(plan('discard all', initialState).controls).toEqual(
    expect.arrayContaining(['CLOSE ALL', 'RESET ALL', 'DISCARD TEMP', 'DISCARD SEQUENCES']),
  )
  expect([
    summary('discard all', initialState, true),
    summary('discard all', open),
    summary('discard all', fail(open)),
  ]).toEqual(['refused 25001', 'refused 25001', 'forward, E'])
})

test('the end of one’s own backend ends the connection, and is never sent', () => {
  expect(plan('select pg_terminate_backend(pg_backend_pid())', initialState)).toMatchObject({
    forward: false,
    terminates: true,
  })
  expect(plan('select pg_terminate_backend(42)', initialState).forward).toBe(true)
})

test('an isolation level cannot be asked for after a query', () => {
  expect(summary('set transaction isolation level serializable', withQuery(open))).toBe('refused 25001')
  expect(plan('select 1', open).next).toMatchObject({ transaction: { hasQueried: true } })
})

test('a read-only transaction gives up its savepoint at its commit: that makes the session writable again', () => {
  const readOnly = plan('begin read only', initialState).next
  expect(summary('commit', readOnly)).toBe('COMMIT, RELEASE SAVEPOINT vivarium_read_only, keep, I')
  const inSavepoint = plan('set transaction read only', open).next
  expect(summary('commit', inSavepoint)).toBe('COMMIT, RELEASE SAVEPOINT vivarium_s0, keep, I')
  expect(summary('commit', plan('release s', inSavepoint).next)).toBe('COMMIT, keep, I')
})

test('a read-only transaction may be made writable before its first query, and not after it', () => {
  const readOnly = plan('begin read only', initialState).next
  expect(summary('set transaction read write', readOnly)).toBe('SET, RELEASE SAVEPOINT vivarium_read_only, T')
  expect(summary('set transaction read write', withQuery(readOnly))).toBe('refused 25001')
  expect(summary('set transaction read write', pushSavepoint(readOnly, 's'))).toBe('refused 25001')
})

test('a commit that fails leaves no transaction behind, and none of its settings', () => {
  const set = plan('set a.x to 1', open).next
  expect(plan('commit', set).nextOnError).toEqual({ status: 'idle', settings: noSettings })
})

test('a commit checks deferred constraints, a rollback does not', () => {
  expect(plan('commit', open).checksConstraints).toBe(true)
  expect(plan('commit', initialState).checksConstraints).toBe(true)
  expect(plan('rollback', open).checksConstraints).toBeUndefined()
})

test('a transaction that has set something locally ends with the session’s own settings made again', () => {
  const withLocal = plan('set local a.x to 1', open).next
  expect(plan('commit', withLocal)).toMatchObject({ restoresSettings: true })
  expect(plan('commit', withLocal).controls).toContain('RESET ALL')
  expect(plan('commit', open).controls).toEqual([])
})

test('a chained transaction has a new number and the same modes', () => {
  const { next } = plan('commit and chain', plan('begin read only', initialState).next)
  expect(next).toMatchObject({ status: 'inTransaction', transaction: { number: 2, readOnly: true, savepoints: [] } })
})

test('the default of a setting is what the start-up asked for', () => {
  const initialSettings = withSetting(noSettings, 'timezone', `SET "timezone" TO 'UTC'`)
  const context = {
    implicitBlock: false,
    startsUnit: true,
    sessionBeforeUnit: initialState,
    initialSettings,
    nextTransactionNumber: (): number => 1,
  }
  for (const text of ['reset timezone', 'set timezone to default', 'reset all']) {
    const made = planStatement(only(text), initialState, context)
    expect(made.controls, text).toContain(`SET "timezone" TO 'UTC'`)
    expect(made.next.settings.key, text).toBe(initialSettings.key)
  }
})

test('the same statement in the same state has the same plan', () => {
  expect(plan('commit', open)).toEqual(plan('commit', open))
})
