import type { IsolationLevel } from '../sql/statement.ts'
import { noSettings, withoutLocals } from './settings.ts'
import type { Settings } from './settings.ts'
import { afterCommit } from './temporary-objects.ts'
import type { TemporaryObjects } from './temporary-objects.ts'

/** What a connection has in its session; a rollback goes back to an earlier value. */
export interface SessionState {
  readonly settings: Settings
  readonly temporary?: TemporaryObjects
}

/** A savepoint of the application; its name in the real session comes from its place on the stack. */
export interface VirtualSavepoint {
  readonly name: string
  /** What a rollback to it goes back to. */
  readonly before: SessionState
  /** READ ONLY that is set in it ends with it. */
  readonly isReadOnly: boolean
}

/** The application's transaction on one virtual connection. */
export interface VirtualTransaction {
  /** Number in the sandbox, from 1. */
  readonly number: number
  /** A savepoint of ours, outside all of the application's, makes it read-only. */
  readonly readOnly: boolean
  /** It is read-only, by that savepoint or by one of the application's. */
  readonly isReadOnly: boolean
  readonly isolation: IsolationLevel | undefined
  readonly savepoints: readonly VirtualSavepoint[]
  readonly before: SessionState
  /** Something was set that ends with the transaction (SET LOCAL): our savepoint's release does not end it. */
  readonly hasLocalSettings: boolean
  /** It was begun by an AND CHAIN. */
  readonly isChained?: boolean
  /** A statement has run in it: its characteristics can no longer be set. */
  readonly hasQueried: boolean
}

/**
 * Where one virtual connection stands, as its client sees it. Immutable: translating a message computes the next state,
 * and the state becomes true when the server's answer confirms it.
 *
 * idle → inTransaction (BEGIN) → failed (an error) → inTransaction (ROLLBACK TO) or idle (COMMIT, ROLLBACK)
 */
export type ConnectionState =
  | ({ readonly status: 'idle' } & SessionState)
  | ({ readonly status: 'inTransaction'; readonly transaction: VirtualTransaction } & SessionState)
  | ({ readonly status: 'failed'; readonly transaction: VirtualTransaction } & SessionState)

/** The part of a state that outlives transactions. */
export function sessionOf({ settings, temporary }: SessionState): SessionState {
  return temporary === undefined ? { settings } : { settings, temporary }
}

export const initialState: ConnectionState = { status: 'idle', settings: noSettings }

/** The status byte that a client would see in production. */
export function statusByte(state: ConnectionState): 'I' | 'T' | 'E' {
  return state.status === 'idle' ? 'I' : state.status === 'inTransaction' ? 'T' : 'E'
}

export function begin(
  state: ConnectionState,
  number: number,
  modes: { readOnly?: boolean; isolation?: IsolationLevel },
  before: SessionState = state,
): ConnectionState {
  return {
    status: 'inTransaction',
    ...sessionOf(state),
    transaction: {
      number,
      readOnly: modes.readOnly ?? false,
      isReadOnly: modes.readOnly ?? false,
      isolation: modes.isolation,
      savepoints: [],
      before: sessionOf(before),
      hasLocalSettings: false,
      hasQueried: false,
    },
  }
}

export function commit(state: ConnectionState): ConnectionState {
  const { settings, ...rest } = sessionOf(endOfTransaction(state))
  return { status: 'idle', ...rest, settings: withoutLocals(settings) }
}

/** What a commit, an implicit one too, leaves of a session: ON COMMIT DROP is carried out by it. */
export function endOfTransaction<S extends SessionState>(state: S): S {
  const temporary = afterCommit(state.temporary)
  return temporary === state.temporary ? state : { ...state, temporary }
}

export function rollback(state: ConnectionState): ConnectionState {
  return { status: 'idle', ...sessionOf(state.status === 'idle' ? state : state.transaction.before) }
}

/** After an error: a transaction is tainted until its end or a ROLLBACK TO, a unit outside one is simply over. */
export function fail(state: ConnectionState): ConnectionState {
  return state.status === 'idle' ? state : { ...state, status: 'failed' }
}

/**
 * Whether a failure would leave the session what its transaction has set: it goes back to the savepoint of ours that makes
 * the transaction read-only, and no further. The server takes settings back at once, and the client is told with the error.
 */
export function keepsSettings(state: ConnectionState): boolean {
  if (state.status !== 'inTransaction') return false
  const { readOnly, savepoints, before } = state.transaction
  const hasSet = state.settings.locals !== undefined || state.settings.key !== before.settings.key
  return readOnly && savepoints.length === 0 && hasSet
}

export function withLocalSettings(state: ConnectionState): ConnectionState {
  if (state.status === 'idle' || state.transaction.hasLocalSettings) return state
  return { ...state, transaction: { ...state.transaction, hasLocalSettings: true } }
}

export function withQuery(state: ConnectionState): ConnectionState {
  if (state.status === 'idle' || state.transaction.hasQueried) return state
  return { ...state, transaction: { ...state.transaction, hasQueried: true } }
}

export function withSettings(state: ConnectionState, settings: Settings): ConnectionState {
  return state.settings === settings ? state : { ...state, settings }
}

export function withTemporary(state: ConnectionState, temporary: TemporaryObjects): ConnectionState {
  return state.temporary === temporary ? state : { ...state, temporary }
}

/** Back in a session as it was. */
export function withSession(state: ConnectionState, before: SessionState): ConnectionState {
  return withTemporary(withSettings(state, before.settings), before.temporary)
}

/** Index of the innermost savepoint of that name, or -1. */
export function findSavepoint(transaction: VirtualTransaction, name: string): number {
  return transaction.savepoints.findLastIndex((savepoint) => savepoint.name === name)
}

export function pushSavepoint(state: ConnectionState, name: string): ConnectionState {
  if (state.status === 'idle') return state
  const savepoints = [
    ...state.transaction.savepoints,
    { name, before: sessionOf(state), isReadOnly: state.transaction.isReadOnly },
  ]
  return { ...state, transaction: { ...state.transaction, savepoints } }
}

/** Releases the savepoint at an index and all after it. */
export function popSavepoints(state: ConnectionState, index: number): ConnectionState {
  if (state.status === 'idle') return state
  const savepoints = state.transaction.savepoints.slice(0, index)
  const isReadOnly = state.transaction.savepoints[index]?.isReadOnly ?? state.transaction.isReadOnly
  return { ...state, transaction: { ...state.transaction, savepoints, isReadOnly } }
}

/** Rolls back to the savepoint at an index, which stays. */
export function rollbackToSavepoint(state: ConnectionState, index: number): ConnectionState {
  if (state.status === 'idle') return state
  const savepoints = state.transaction.savepoints.slice(0, index + 1)
  const before = savepoints.at(-1)?.before ?? state
  const isReadOnly = savepoints.at(-1)?.isReadOnly ?? state.transaction.isReadOnly
  return {
    status: 'inTransaction',
    ...sessionOf(before),
    transaction: { ...state.transaction, savepoints, isReadOnly },
  }
}
