import type { OwnMessage } from '../protocol/server-message.ts'
import type { Statement } from '../sql/statement.ts'
import { findDropped } from '../sql/temporary-objects.ts'
import type { TemporaryObject } from '../sql/temporary-objects.ts'
import {
  begin,
  commit,
  endOfTransaction,
  findSavepoint,
  popSavepoints,
  pushSavepoint,
  rollback,
  rollbackToSavepoint,
  withLocalSettings,
  withQuery,
  withSettings,
  withTemporary,
} from './connection-state.ts'
import type { ConnectionState, SessionState } from './connection-state.ts'
import { fidelityOf, isolationWarning, listenWarning } from './differences.ts'
import type { Difference } from './differences.ts'
import {
  afterSet,
  endsSession,
  isReadOnlyByDefault,
  restoreInitial,
  settingsSteps,
  unknownSettings,
  withSetting,
} from './settings.ts'
import type { Settings } from './settings.ts'
import { dropStatement, onCommitSteps, withMade, withoutNames } from './temporary-objects.ts'

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
  /** The session that the connection shares with others; `undefined` where it has a real one to itself. */
  readonly shared?: SharedSession | undefined
  nextTransactionNumber(): number
}

/** What a plan depends on where several connections are one session, in which nothing really commits. */
export interface SharedSession {
  /** How many sandboxes are open. */
  readonly depth: number
  /** Other connections of the sandbox have temporary objects. */
  readonly othersHaveTemporary: boolean
  /** Temporary tables with an ON COMMIT that the database's own routines may make. */
  readonly routineTables: readonly TemporaryObject[]
}

/** The real name of the application's savepoint at an index of its stack. */
function savepointName(index: number): string {
  return `vivarium_s${index}`
}

/** Plans one statement for a connection in a state. Pure: the same input, the same plan. */
export function planStatement(statement: Statement, state: ConnectionState, context: PlanContext): StatementPlan {
  const plan = planKind(statement, state, context)
  const { shared } = context
  if (shared === undefined || !plan.forward || state.status === 'failed') return plan
  if (statement.temporary.length > 0) {
    const temporary = withMade(plan.next.temporary, statement.temporary, shared.depth)
    return { ...plan, next: withTemporary(plan.next, temporary) }
  }
  if (plan.next.temporary === undefined || !statement.ddl) return plan
  return { ...plan, next: withTemporary(plan.next, withoutNames(plan.next.temporary, findDropped(statement.text))) }
}

function planKind(statement: Statement, state: ConnectionState, context: PlanContext): StatementPlan {
  // In a failed transaction the real session is failed too, so the server itself gives the right answer to all but
  // what ends the failure.
  if (state.status === 'failed' && !endsFailure(statement)) return forwarded(state)
  switch (statement.kind) {
    case 'begin':
      return planBegin(statement, state, context)
    case 'commit':
      return planCommit(statement.chain, state, context)
    case 'rollback':
      return planRollback(statement.chain, state, context)
    case 'savepoint':
      if (state.status !== 'inTransaction') return refused(state, outsideBlock('SAVEPOINT', context, 'DefineSavepoint'))
      return {
        forward: false,
        controls: [`SAVEPOINT ${savepointName(state.transaction.savepoints.length)}`],
        tag: 'SAVEPOINT',
        next: pushSavepoint(state, statement.name),
      }
    case 'release':
      return planRelease(statement.name, state, context)
    case 'rollbackTo':
      return planRollbackTo(statement.name, state, context)
    case 'prepareTransaction':
    case 'commitPrepared':
    case 'rollbackPrepared':
      return refused(state, twoPhaseRefused)
    case 'setTransaction':
      return planSetTransaction(statement, state, context)
    case 'setSessionCharacteristics':
      return { ...answered(state, 'SET'), fidelity: isolationWarning('SET SESSION CHARACTERISTICS') }
    case 'setConstraints':
      if (state.status === 'inTransaction' || context.implicitBlock) return forwarded(state)
      return { ...answered(state, 'SET CONSTRAINTS'), notice: outsideBlockWarning('SET CONSTRAINTS', context) }
    case 'set':
      return planSet(statement, state, context)
    case 'reset':
      return planReset(statement.name, state, context)
    case 'declareCursor':
      if (statement.hold || state.status === 'inTransaction' || context.implicitBlock) return forwarded(state)
      return refused(state, outsideBlock('DECLARE CURSOR', context))
    case 'lockTable':
      if (state.status === 'inTransaction' || context.implicitBlock) return forwarded(state)
      return refused(state, outsideBlock('LOCK TABLE', context))
    case 'deallocateAll':
      return { ...answered(state, 'DEALLOCATE ALL'), forgets: 'statements' }
    case 'discard':
      if (statement.what === 'all') return planDiscardAll(state, context)
      return statement.what === 'temp' ? planDiscardTemp(state, context) : forwarded(state)
    case 'listen':
    case 'unlisten':
    case 'notify':
      return { ...forwarded(state), fidelity: listenWarning }
    case 'show':
      return forwarded(state)
    default:
      // The one real session must outlive the connection: the connection is ended in its place.
      if (statement.terminatesBackend && terminatesItself.test(statement.text)) {
        return { ...answered(state, ''), terminates: true }
      }
      return { ...forwarded(withQuery(state)), fidelity: fidelityOf(statement) }
  }
}

const terminatesItself = /pg_terminate_backend\s*\(\s*(?:pg_catalog\s*\.\s*)?pg_backend_pid\s*\(\s*\)\s*\)/i

/** What may run in a failed transaction: it ends the failure. */
export function endsFailure(statement: Statement): boolean {
  return statement.kind === 'commit' || statement.kind === 'rollback' || statement.kind === 'rollbackTo'
}

function forwarded(state: ConnectionState): StatementPlan {
  return { forward: true, controls: [], next: state }
}

function answered(state: ConnectionState, tag: string): StatementPlan {
  return { forward: false, controls: [], tag, next: state }
}

function refused(state: ConnectionState, error: OwnMessage): StatementPlan {
  return { forward: false, controls: [], error, next: state }
}

function planBegin(
  statement: Extract<Statement, { kind: 'begin' }>,
  state: ConnectionState,
  context: PlanContext,
): StatementPlan {
  if (state.status === 'inTransaction') {
    return {
      ...answered(state, statement.tag),
      notice: {
        severity: 'WARNING',
        code: '25001',
        message: 'there is already a transaction in progress',
        file: 'xact.c',
        routine: 'BeginTransactionBlock',
      },
    }
  }
  const readOnly = statement.readOnly ?? isReadOnlyByDefault(state.settings)
  return {
    ...answered(
      begin(state, context.nextTransactionNumber(), { ...statement, readOnly }, context.sessionBeforeUnit),
      statement.tag,
    ),
    controls: readOnly ? ['SET TRANSACTION READ ONLY'] : [],
    fidelity: givesIsolation(statement.isolation) ? undefined : isolationWarning(statement.isolation ?? ''),
  }
}

function givesIsolation(isolation: string | undefined): boolean {
  return isolation === undefined || isolation === 'read committed' || isolation === 'read uncommitted'
}

function planCommit(chain: boolean, state: ConnectionState, context: PlanContext): StatementPlan {
  if (state.status === 'idle') {
    if (chain) return refused(state, { ...outsideBlock('COMMIT AND CHAIN', context), routine: 'EndTransactionBlock' })
    return {
      ...answered(state, 'COMMIT'),
      notice: noTransactionWarning,
      boundary: 'keep',
      checksConstraints: true,
      onCommit: onCommitSteps(state.temporary, context.shared?.routineTables),
      next: endOfTransaction(state),
    }
  }
  if (state.status === 'failed') return planRollback(chain, state, context)
  const next = chain ? chained(commit(state), state, context) : commit(state)
  const { readOnly, hasLocalSettings } = state.transaction
  return {
    ...answered(next, 'COMMIT'),
    controls: hasLocalSettings && !readOnly ? settingsSteps(unknownSettings, state.settings) : [],
    restoresSettings: hasLocalSettings && !readOnly,
    // A READ ONLY transaction has nothing to keep, and only going back makes the session writable again.
    boundary: readOnly ? 'undo' : 'keep',
    checksConstraints: !readOnly,
    onCommit: readOnly ? [] : onCommitSteps(state.temporary, context.shared?.routineTables),
    nextOnError: rollback(state),
  }
}

function planRollback(chain: boolean, state: ConnectionState, context: PlanContext): StatementPlan {
  if (state.status === 'idle') {
    if (chain) {
      return refused(state, { ...outsideBlock('ROLLBACK AND CHAIN', context), routine: 'UserAbortTransactionBlock' })
    }
    return {
      ...answered(state, 'ROLLBACK'),
      boundary: context.implicitBlock ? 'undo' : undefined,
      notice: { ...noTransactionWarning, routine: 'UserAbortTransactionBlock' },
    }
  }
  const next = chain ? chained(rollback(state), state, context) : rollback(state)
  return { ...answered(next, 'ROLLBACK'), boundary: 'undo' }
}

function chained(ended: ConnectionState, before: ConnectionState, context: PlanContext): ConnectionState {
  return begin(ended, context.nextTransactionNumber(), before.status === 'idle' ? {} : before.transaction)
}

function planRelease(name: string, state: ConnectionState, context: PlanContext): StatementPlan {
  if (state.status !== 'inTransaction')
    return refused(state, outsideBlock('RELEASE SAVEPOINT', context, 'ReleaseSavepoint'))
  const index = findSavepoint(state.transaction, name)
  if (index === -1) return refused(state, noSavepoint(name, 'ReleaseSavepoint'))
  return {
    ...answered(popSavepoints(state, index), 'RELEASE'),
    controls: [`RELEASE SAVEPOINT ${savepointName(index)}`],
  }
}

function planRollbackTo(name: string, state: ConnectionState, context: PlanContext): StatementPlan {
  if (state.status === 'idle')
    return refused(state, outsideBlock('ROLLBACK TO SAVEPOINT', context, 'RollbackToSavepoint'))
  const index = findSavepoint(state.transaction, name)
  if (index === -1) return refused(state, noSavepoint(name, 'RollbackToSavepoint'))
  return {
    ...answered(rollbackToSavepoint(state, index), 'ROLLBACK'),
    controls: [`ROLLBACK TO SAVEPOINT ${savepointName(index)}`],
  }
}

function planSetTransaction(
  statement: Extract<Statement, { kind: 'setTransaction' }>,
  state: ConnectionState,
  context: PlanContext,
): StatementPlan {
  if (state.status !== 'inTransaction') {
    if (context.implicitBlock) return { ...answered(state, 'SET'), fidelity: isolationWarning('SET TRANSACTION') }
    return { ...answered(state, 'SET'), notice: outsideBlockWarning('SET TRANSACTION', context) }
  }
  if (state.transaction.hasQueried && statement.isolation !== undefined) {
    return refused(state, {
      code: '25001',
      message: 'SET TRANSACTION ISOLATION LEVEL must be called before any query',
      file: 'guc.c',
      routine: 'call_enum_check_hook',
    })
  }
  const transaction = { ...state.transaction, readOnly: state.transaction.readOnly || statement.readOnly === true }
  return {
    ...answered({ ...state, transaction }, 'SET'),
    controls: statement.readOnly === true ? ['SET TRANSACTION READ ONLY'] : [],
    fidelity:
      statement.snapshot === true || !givesIsolation(statement.isolation)
        ? isolationWarning(statement.isolation ?? 'SET TRANSACTION SNAPSHOT')
        : undefined,
  }
}

function planSet(
  statement: Extract<Statement, { kind: 'set' }>,
  state: ConnectionState,
  context: PlanContext,
): StatementPlan {
  if (endsSession(statement.name)) {
    return {
      ...answered(state, 'SET'),
      fidelity: {
        kind: 'session-timeout',
        message: `${statement.name} is accepted and not enforced: it would end the one session that all connections of the sandbox share`,
      },
    }
  }
  if (statement.local) {
    if (state.status === 'inTransaction' || context.implicitBlock) {
      return { ...forwarded(withLocalSettings(state)), disturbsSettings: true }
    }
    return { ...answered(state, 'SET'), notice: outsideBlockWarning('SET LOCAL', context) }
  }
  if (statement.fromCurrent === true) return { ...forwarded(state), disturbsSettings: true }
  if (statement.name === 'default_transaction_isolation') {
    return {
      ...forwarded(withSettings(state, afterSet(state.settings, statement, context.initialSettings))),
      fidelity: isolationWarning(statement.name),
    }
  }
  const settings = afterSet(state.settings, statement, context.initialSettings)
  const initial = statement.isDefault ? context.initialSettings.statements.get(statement.name) : undefined
  if (initial === undefined) return { ...forwarded(withSettings(state, settings)) }
  return { ...answered(withSettings(state, settings), 'SET'), controls: [initial] }
}

function planReset(name: string, state: ConnectionState, context: PlanContext): StatementPlan {
  const initial = context.initialSettings
  if (name === 'all') {
    // RESET ALL leaves the role and the session's user alone.
    let settings = initial
    for (const kept of ['session_authorization', 'role']) {
      const statement = state.settings.statements.get(kept)
      if (statement !== undefined) settings = withSetting(settings, kept, statement)
    }
    return {
      ...answered(withSettings(state, settings), 'RESET'),
      controls: ['RESET ALL', ...initial.statements.values()],
    }
  }
  if (endsSession(name)) return answered(state, 'RESET')
  const settings = restoreInitial(state.settings, name, initial)
  const statement = initial.statements.get(name)
  if (statement === undefined) return forwarded(withSettings(state, settings))
  return { ...answered(withSettings(state, settings), 'RESET'), controls: [statement] }
}

function planDiscardAll(state: ConnectionState, context: PlanContext): StatementPlan {
  if (state.status !== 'idle' || context.implicitBlock) {
    return refused(state, {
      code: '25001',
      message: 'DISCARD ALL cannot run inside a transaction block',
      file: 'xact.c',
      routine: 'PreventInTransactionBlock',
    })
  }
  return {
    ...answered(withTemporary(withSettings(state, context.initialSettings), undefined), 'DISCARD ALL'),
    controls: [
      'CLOSE ALL',
      ...settingsSteps(unknownSettings, context.initialSettings),
      'SELECT pg_catalog.pg_advisory_unlock_all()',
      ...discardTemporary(state, context),
      'DISCARD SEQUENCES',
    ],
    forgets: 'session',
  }
}

function planDiscardTemp(state: ConnectionState, context: PlanContext): StatementPlan {
  const next = withTemporary(state, undefined)
  if (context.shared?.othersHaveTemporary !== true) return forwarded(next)
  return { ...answered(next, 'DISCARD TEMP'), controls: discardTemporary(state, context) }
}

/** DISCARD TEMP means the connection's own: the session is shared. */
function discardTemporary(state: ConnectionState, context: PlanContext): string[] {
  if (context.shared?.othersHaveTemporary !== true) return ['DISCARD TEMP']
  return state.temporary === undefined ? [] : [dropStatement([...state.temporary.keys()])]
}

/** `inImplicitBlock` is the server's routine that refuses the command in an implicit transaction block. */
function outsideBlock(command: string, context: PlanContext, inImplicitBlock?: string): OwnMessage {
  return {
    code: '25P01',
    message: `${command} can only be used in transaction blocks`,
    file: 'xact.c',
    routine: context.implicitBlock && inImplicitBlock !== undefined ? inImplicitBlock : 'CheckTransactionBlock',
  }
}

function outsideBlockWarning(command: string, context: PlanContext): OwnMessage {
  return { ...outsideBlock(command, context), severity: 'WARNING' }
}

function noSavepoint(name: string, routine: string): OwnMessage {
  return { code: '3B001', message: `savepoint "${name}" does not exist`, file: 'xact.c', routine }
}

const noTransactionWarning: OwnMessage = {
  severity: 'WARNING',
  code: '25P01',
  message: 'there is no transaction in progress',
  file: 'xact.c',
  routine: 'EndTransactionBlock',
}

const twoPhaseRefused: OwnMessage = {
  code: '0A000',
  message: 'two-phase commit is not available inside a sandbox',
  hint: 'A prepared transaction outlives its session and its test. Test two-phase commit against a database of its own.',
}
