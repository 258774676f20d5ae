import type { OwnMessage } from '../protocol/server-message.ts'
import type { Statement } from '../sql/statement.ts'
import { findDropped } from '../sql/temporary-objects.ts'
import { pushSavepoint, withQuery, withTemporary } from './connection-state.ts'
import type { ConnectionState } from './connection-state.ts'
import { fidelityOf, listenWarning } from './differences.ts'
import { planDiscardAll, planDiscardTemp, planReset, planSet } from './plan-session.ts'
import {
  planBegin,
  planCharacteristics,
  planCommit,
  planRelease,
  planRollback,
  planRollbackTo,
  planSetTransaction,
} from './plan-transaction.ts'
import {
  endsItself,
  namesSharedBackend,
  sharedBackendRefused,
  sparedBackendWarning,
  sparingOwnBackend,
} from './own-backend.ts'
import { answered, forwarded, outsideBlock, outsideBlockWarning, refused, savepointName } from './plan.ts'
import type { PlanContext, SharedSession, StatementPlan } from './plan.ts'
import { withMade, withoutNames } from './temporary-objects.ts'

/** Plans one statement for a connection in a state. Pure: the same input, the same plan. */
export function planStatement(statement: Statement, state: ConnectionState, context: PlanContext): StatementPlan {
  const plan = planKind(statement, state, context)
  const mayMatter = statement.temporary.length > 0 || (plan.next.temporary !== undefined && statement.ddl)
  if (!mayMatter || !plan.forward || state.status === 'failed') return plan
  const { shared } = context
  if (shared === undefined) return plan
  if (statement.temporary.length > 0) {
    const temporary = withMade(plan.next.temporary, statement.temporary, shared.depth)
    return { ...plan, next: withTemporary(plan.next, temporary) }
  }
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
      return planCharacteristics(statement, state)
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
      if (statement.terminatesBackend && context.shared !== undefined)
        return planSignal(statement, state, context.shared)
      return planUsual(statement, state)
  }
}

/** What nearly every statement is: made without copies, which cost more than all the rest of a plan. */
function planUsual(statement: Statement, state: ConnectionState): StatementPlan {
  const next = withQuery(state)
  const fidelity = fidelityOf(statement)
  return fidelity === undefined ? forwarded(next) : { forward: true, controls: [], next, fidelity }
}

/** A signal to a backend; nobody may end the one that all share. */
function planSignal(statement: Statement, state: ConnectionState, shared: SharedSession): StatementPlan {
  if (endsItself(statement)) return { ...answered(state, ''), terminates: true }
  if (namesSharedBackend(statement, shared.processId, shared.params)) return refused(state, sharedBackendRefused)
  const isSparing = sparingOwnBackend(statement).length > 0
  return { ...forwarded(withQuery(state)), fidelity: isSparing ? sparedBackendWarning : undefined }
}

/** What may run in a failed transaction: it ends the failure. */
export function endsFailure(statement: Statement): boolean {
  return statement.kind === 'commit' || statement.kind === 'rollback' || statement.kind === 'rollbackTo'
}

const twoPhaseRefused: OwnMessage = {
  code: '0A000',
  message: 'two-phase commit is not available inside a sandbox',
  hint: 'A prepared transaction outlives its session and its test. Test two-phase commit against a database of its own.',
}
