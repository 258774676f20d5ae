import type { OwnMessage } from '../protocol/server-message.ts'
import type { TemporaryObject } from '../sql/temporary-objects.ts'
import type { ConnectionState, SessionState } from './connection-state.ts'
import type { Difference } from './differences.ts'
import type { Settings } from './settings.ts'

/** What is to be done for one statement of the client. */
export interface StatementPlan {
  /** The client's statement itself goes to the server; otherwise only `controls` do. */
  readonly forward: boolean
  /** Statements of ours that run in its place (or before it), unseen by the client. */
  readonly controls: readonly string[]
  /** What becomes of the work since the unit's savepoint once the controls have run. */
  readonly boundary?: 'keep' | 'undo'
  /** Deferred constraints are checked before the boundary, as a COMMIT does. */
  readonly checksConstraints?: boolean
  readonly notice?: OwnMessage
  /** The statement is refused with this; nothing else of the plan happens. */
  readonly error?: OwnMessage
  /** The command tag that the client is told, when the statement is not forwarded. */
  readonly tag?: string
  /** The connection's state once the statement has succeeded. */
  readonly next: ConnectionState
  /** The state once it has failed, where that is not the usual one. */
  readonly nextOnError?: ConnectionState
  /** The real session's settings can no longer be told from the connection's. */
  readonly disturbsSettings?: boolean
  /** Statements of ours behind the boundary: a transaction that begins where another one ended. */
  readonly afterBoundary?: readonly string[]
  /** The unit outside a transaction is read-only from its beginning. */
  readonly readOnlyUnit?: boolean
  /** The controls make the session's settings the connection's again. */
  readonly restoresSettings?: boolean
  /** The application ends its own connection. */
  readonly terminates?: boolean
  /** What to forget on the connection. */
  readonly forgets?: 'statements' | 'session'
  readonly fidelity?: Difference | undefined
  /** What ON COMMIT of temporary tables asks for at this commit: statements of ours. */
  readonly onCommit?: readonly string[]
}

/** What a plan depends on besides the statement and the state. */
export interface PlanContext {
  /** An implicit transaction block: several statements in one Query, or a pipeline (PostgreSQL docs, 54.2.3.1). */
  readonly implicitBlock: boolean
  /** What a BEGIN in the middle of a unit goes back to: it absorbs what came before it. */
  readonly sessionBeforeUnit: SessionState
  /** The settings the connection's start-up asked for. */
  readonly initialSettings: Settings
  /** Nothing of the unit has run yet. */
  readonly startsUnit: boolean
  /** The session that the connection shares with others; `undefined` where it has a real one to itself. */
  readonly shared?: SharedSession | undefined
  nextTransactionNumber(): number
}

/** What a plan depends on where several connections are one session, in which nothing really commits. */
export interface SharedSession {
  /** Process id of the one backend. */
  readonly processId: number
  /** The values that are bound to the statement. */
  readonly params: readonly (string | Uint8Array | null)[]
  /** How many sandboxes are open. */
  readonly depth: number
  /** Other connections of the sandbox have temporary objects. */
  readonly othersHaveTemporary: boolean
  /** Temporary tables with an ON COMMIT that the database's own routines may make. */
  readonly routineTables: readonly TemporaryObject[]
}

/** The real name of the application's savepoint at an index of its stack. */
export function savepointName(index: number): string {
  return `vivarium_s${index}`
}

const nothing: readonly string[] = []

export function forwarded(state: ConnectionState): StatementPlan {
  return { forward: true, controls: nothing, next: state }
}

/** The same, but that a fault lets it fail: a COMMIT that fails has undone its transaction. */
export function withFault(plan: StatementPlan, error: OwnMessage | undefined): StatementPlan {
  if (error === undefined) return plan
  const { next, nextOnError } = plan
  return { forward: false, controls: nothing, error, next, nextOnError }
}

export function answered(state: ConnectionState, tag: string): StatementPlan {
  return { forward: false, controls: nothing, tag, next: state }
}

export function refused(state: ConnectionState, error: OwnMessage): StatementPlan {
  return { forward: false, controls: [], error, next: state }
}

/** `inImplicitBlock` is the server's routine that refuses the command in an implicit transaction block. */
export function outsideBlock(command: string, context: PlanContext, inImplicitBlock?: string): OwnMessage {
  return {
    code: '25P01',
    message: `${command} can only be used in transaction blocks`,
    file: 'xact.c',
    routine: context.implicitBlock && inImplicitBlock !== undefined ? inImplicitBlock : 'CheckTransactionBlock',
  }
}

export function outsideBlockWarning(command: string, context: PlanContext): OwnMessage {
  return { ...outsideBlock(command, context), severity: 'WARNING' }
}
