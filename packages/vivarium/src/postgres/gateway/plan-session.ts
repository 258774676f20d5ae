import type { Statement } from '../sql/statement.ts'
import { withLocalSettings, withSettings, withTemporary } from './connection-state.ts'
import type { ConnectionState } from './connection-state.ts'
import { isolationWarning } from './differences.ts'
import { modesOfSetting, planSetTransaction } from './plan-transaction.ts'
import { answered, forwarded, outsideBlockWarning, refused } from './plan.ts'
import type { PlanContext, StatementPlan } from './plan.ts'
import {
  afterSet,
  endsSession,
  restoreInitial,
  settingsSteps,
  unknownSettings,
  withLocal,
  withSetting,
} from './settings.ts'
import { dropStatement } from './temporary-objects.ts'

export function planSet(
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
  const modes = modesOfSetting(statement)
  if (modes !== undefined) {
    if (state.status === 'idle' && !context.implicitBlock) return answered(state, 'SET')
    return planSetTransaction({ ...statement, kind: 'setTransaction', ...modes }, state, context)
  }
  if (statement.local) {
    if (state.status === 'inTransaction') {
      const again = statement.fromCurrent === true ? undefined : statement.replay.replace(/^SET/, 'SET LOCAL')
      const settings = withLocal(state.settings, statement.name, again)
      return { ...forwarded(withLocalSettings(withSettings(state, settings))), disturbsSettings: true }
    }
    if (context.implicitBlock) return { ...forwarded(state), disturbsSettings: true }
    // Not without effect: in a pipeline it holds until Sync.
    const setting = { controls: [statement.text], disturbsSettings: true }
    return { ...answered(state, 'SET'), ...setting, notice: outsideBlockWarning('SET LOCAL', context) }
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

export function planReset(name: string, state: ConnectionState, context: PlanContext): StatementPlan {
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

export function planDiscardAll(state: ConnectionState, context: PlanContext): StatementPlan {
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
    // It commits at once, in a pipeline too (xact.c, PreventInTransactionBlock): what fails behind it does not undo it.
    boundary: 'keep',
    forgets: 'session',
  }
}

export function planDiscardTemp(state: ConnectionState, context: PlanContext): StatementPlan {
  const next = withTemporary(state, undefined)
  if (context.shared?.othersHaveTemporary !== true) return forwarded(next)
  return { ...answered(next, 'DISCARD TEMP'), controls: discardTemporary(state, context) }
}

/** DISCARD TEMP means the connection's own: the session is shared. */
function discardTemporary(state: ConnectionState, context: PlanContext): string[] {
  if (context.shared?.othersHaveTemporary !== true) return ['DISCARD TEMP']
  return state.temporary === undefined ? [] : [dropStatement([...state.temporary.keys()])]
}
