import type { OwnMessage } from '../protocol/server-message.ts'
import type { Statement, TransactionModes } from '../sql/statement.ts'
import {
  begin,
  commit,
  endOfTransaction,
  findSavepoint,
  popSavepoints,
  rollback,
  rollbackToSavepoint,
  withLocalSettings,
  withSession,
  withSettings,
} from './connection-state.ts'
import type { ConnectionState } from './connection-state.ts'
import { isolationWarning, lateReadOnlyWarning } from './differences.ts'
import { answered, outsideBlock, outsideBlockWarning, refused, savepointName } from './plan.ts'
import type { PlanContext, StatementPlan } from './plan.ts'
import { isReadOnlyByDefault, noSettings, settingsSteps, unknownSettings } from './settings.ts'
import { onCommitSteps } from './temporary-objects.ts'
import {
  beginSteps,
  defaultIsolation,
  endReadOnly,
  isolationDifference,
  isolationLevels,
  modesOf,
  showIsolation,
  withCharacteristics,
} from './transaction-modes.ts'

export function planBegin(
  statement: Extract<Statement, { kind: 'begin' }>,
  state: ConnectionState,
  context: PlanContext,
): StatementPlan {
  if (state.status === 'inTransaction') {
    // The modes are set all the same.
    return {
      ...planSetTransaction({ ...statement, kind: 'setTransaction' }, state, context),
      tag: statement.tag,
      notice: {
        severity: 'WARNING',
        code: '25001',
        message: 'there is already a transaction in progress',
        file: 'xact.c',
        routine: 'BeginTransactionBlock',
      },
    }
  }
  const modes = modesOf(statement, state.settings)
  const next = begin(state, context.nextTransactionNumber(), modes, context.sessionBeforeUnit)
  return {
    ...answered(next, statement.tag),
    ...begunWith(modes, next),
    controls: beginSteps(modes, state.settings),
    fidelity: isolationDifference(modes.isolation),
  }
}

/** A level that is not the session's own is a setting of the transaction. */
function begunWith(modes: TransactionModes, next: ConnectionState): Pick<StatementPlan, 'next' | 'disturbsSettings'> {
  const isShown = modes.isolation !== undefined && modes.isolation !== defaultIsolation(next.settings)
  return isShown ? { next: withLocalSettings(next), disturbsSettings: true } : { next }
}

export function planCommit(chain: boolean, state: ConnectionState, context: PlanContext): StatementPlan {
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
  const { readOnly, isReadOnly, hasLocalSettings, savepoints } = state.transaction
  // READ ONLY that was set in a savepoint of the application ends with that one's release.
  const release = isReadOnly && !readOnly && savepoints.length > 0 ? [`RELEASE SAVEPOINT ${savepointName(0)}`] : []
  return {
    ...answered(commit(state), 'COMMIT'),
    controls: [
      ...release,
      ...(readOnly ? [endReadOnly] : []),
      ...(hasLocalSettings ? settingsSteps(unknownSettings, state.settings) : []),
    ],
    restoresSettings: hasLocalSettings,
    boundary: 'keep',
    checksConstraints: true,
    onCommit: onCommitSteps(state.temporary, context.shared?.routineTables),
    nextOnError: rollback(state),
    ...(chain ? chained(commit(state), state, context) : {}),
  }
}

export function planRollback(chain: boolean, state: ConnectionState, context: PlanContext): StatementPlan {
  if (state.status === 'idle') {
    if (chain) {
      return refused(state, { ...outsideBlock('ROLLBACK AND CHAIN', context), routine: 'UserAbortTransactionBlock' })
    }
    return {
      ...answered(context.implicitBlock ? withSession(state, context.sessionBeforeUnit) : state, 'ROLLBACK'),
      boundary: context.implicitBlock ? 'undo' : undefined,
      notice: { ...noTransactionWarning, routine: 'UserAbortTransactionBlock' },
    }
  }
  return {
    ...answered(rollback(state), 'ROLLBACK'),
    boundary: 'undo',
    ...(chain ? chained(rollback(state), state, context) : {}),
  }
}

/** AND CHAIN: another transaction begins at once, with the modes of the one that ended. */
function chained(
  ended: ConnectionState,
  { status, transaction }: Exclude<ConnectionState, { status: 'idle' }>,
  context: PlanContext,
): Pick<StatementPlan, 'next' | 'disturbsSettings' | 'afterBoundary'> {
  const { isolation, isReadOnly, savepoints, isChained = false } = transaction
  // The modes of a BEGIN or SET go back when all of it fails, and the server keeps what they are then; but not those
  // that it had kept itself (xact.c, RestoreTransactionCharacteristics, sets no GUC).
  const isGone = status === 'failed' && savepoints.length === 0 && !isChained
  const readOnly = isGone ? isReadOnlyByDefault(ended.settings) : isReadOnly
  const modes: TransactionModes = isolation === undefined || isGone ? { readOnly } : { readOnly, isolation }
  return {
    ...begunWith(modes, asChained(begin(ended, context.nextTransactionNumber(), modes))),
    afterBoundary: beginSteps(modes, ended.settings),
  }
}

function asChained(state: ConnectionState): ConnectionState {
  return state.status === 'idle' ? state : { ...state, transaction: { ...state.transaction, isChained: true } }
}

export function planRelease(name: string, state: ConnectionState, context: PlanContext): StatementPlan {
  if (state.status !== 'inTransaction')
    return refused(state, outsideBlock('RELEASE SAVEPOINT', context, 'ReleaseSavepoint'))
  const index = findSavepoint(state.transaction, name)
  if (index === -1) return refused(state, noSavepoint(name, 'ReleaseSavepoint'))
  return {
    ...answered(popSavepoints(state, index), 'RELEASE'),
    controls: [`RELEASE SAVEPOINT ${savepointName(index)}`],
  }
}

export function planRollbackTo(name: string, state: ConnectionState, context: PlanContext): StatementPlan {
  if (state.status === 'idle')
    return refused(state, outsideBlock('ROLLBACK TO SAVEPOINT', context, 'RollbackToSavepoint'))
  const index = findSavepoint(state.transaction, name)
  if (index === -1) return refused(state, noSavepoint(name, 'RollbackToSavepoint'))
  return {
    ...answered(rollbackToSavepoint(state, index), 'ROLLBACK'),
    controls: [`ROLLBACK TO SAVEPOINT ${savepointName(index)}`],
  }
}

export function planSetTransaction(
  statement: Extract<Statement, { kind: 'setTransaction' }>,
  state: ConnectionState,
  context: PlanContext,
): StatementPlan {
  const controls = statement.isolation === undefined ? [] : [showIsolation(statement.isolation)]
  const fidelity =
    statement.snapshot === true
      ? isolationWarning('SET TRANSACTION SNAPSHOT')
      : isolationDifference(statement.isolation)
  if (state.status !== 'inTransaction') {
    if (!context.implicitBlock) {
      return { ...answered(state, 'SET'), notice: outsideBlockWarning('SET TRANSACTION', context) }
    }
    const readOnly = statement.readOnly === true ? ['SET TRANSACTION READ ONLY'] : []
    const isLate = statement.readOnly === true && !context.startsUnit
    return {
      ...answered(state, 'SET'),
      controls: isLate ? controls : [...readOnly, ...controls],
      readOnlyUnit: statement.readOnly === true && !isLate,
      disturbsSettings: controls.length > 0,
      fidelity: isLate ? lateReadOnlyWarning : fidelity,
    }
  }
  if (state.transaction.hasQueried && statement.isolation !== undefined) {
    return refused(state, {
      code: '25001',
      message: 'SET TRANSACTION ISOLATION LEVEL must be called before any query',
      file: 'guc.c',
      routine: 'call_enum_check_hook',
    })
  }
  const mode = planReadOnly(statement.readOnly, state)
  if (mode.error !== undefined) return refused(state, mode.error)
  const { readOnly, isReadOnly } = mode
  const isolation = statement.isolation ?? state.transaction.isolation
  const next = { ...state, transaction: { ...state.transaction, readOnly, isReadOnly, isolation } }
  return {
    ...answered(controls.length > 0 ? withLocalSettings(next) : next, 'SET'),
    controls: [...mode.controls, ...controls],
    disturbsSettings: controls.length > 0,
    fidelity,
  }
}

/** READ ONLY in mid-transaction; the application's own savepoint holds it when there is one, else one of ours. */
function planReadOnly(
  asked: boolean | undefined,
  { transaction }: Extract<ConnectionState, { status: 'inTransaction' }>,
): { controls: readonly string[]; readOnly: boolean; isReadOnly: boolean; error?: OwnMessage } {
  const { readOnly, isReadOnly, savepoints, hasQueried } = transaction
  if (asked === undefined || asked === isReadOnly) return { controls: [], readOnly, isReadOnly }
  if (asked) {
    if (savepoints.length > 0) return { controls: ['SET TRANSACTION READ ONLY'], readOnly, isReadOnly: true }
    return { controls: beginSteps({ readOnly: true }, noSettings), readOnly: true, isReadOnly: true }
  }
  const refusal = { code: '25001', file: 'guc.c', routine: 'call_bool_check_hook' }
  if (savepoints.length > 0) {
    const error = { ...refusal, message: 'cannot set transaction read-write mode inside a read-only transaction' }
    return { controls: [], readOnly, isReadOnly, error }
  }
  if (hasQueried) {
    const error = { ...refusal, message: 'transaction read-write mode must be set before any query' }
    return { controls: [], readOnly, isReadOnly, error }
  }
  return { controls: [endReadOnly], readOnly: false, isReadOnly: false }
}

/** `SET transaction_isolation TO …` and its like: SET TRANSACTION in the form of a setting. */
export function modesOfSetting({
  name,
  value = '',
}: Extract<Statement, { kind: 'set' }>): TransactionModes | undefined {
  if (name === 'transaction_isolation') {
    const isolation = isolationLevels.find((level) => level === value.toLowerCase())
    return isolation === undefined ? undefined : { isolation }
  }
  if (name !== 'transaction_read_only') return undefined
  if (/^(?:on|true|yes|1)$/i.test(value)) return { readOnly: true }
  return /^(?:off|false|no|0)$/i.test(value) ? { readOnly: false } : undefined
}

export function planCharacteristics(modes: TransactionModes, state: ConnectionState): StatementPlan {
  const { settings, statements } = withCharacteristics(modes, state.settings)
  return {
    ...answered(withSettings(state, settings), 'SET'),
    controls: statements,
    fidelity: isolationDifference(modes.isolation),
  }
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
