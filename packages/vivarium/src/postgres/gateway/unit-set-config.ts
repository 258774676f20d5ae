import type { Statement } from '../sql/statement.ts'
import type { ClientPortal } from './client-statement.ts'
import { withLocalSettings, withSettings } from './connection-state.ts'
import type { ConnectionState } from './connection-state.ts'
import { setConfigEffect } from './set-config-effect.ts'
import type { SetConfigEffect } from './set-config-effect.ts'
import type { StatementPlan } from './plan.ts'
import { settingsSteps, unknownSettings, withoutLocals } from './settings.ts'
import type { Unit } from './unit.ts'

/** Calls of set_config set things as SET does; what cannot be read from them is said. */
export function afterSetConfig(
  unit: Unit,
  statement: Statement,
  params: ClientPortal['params'],
  state: ConnectionState,
): ConnectionState {
  const effect = setConfigEffect(statement.text, params, state.settings)
  noteSetConfig(unit, statement, effect)
  return afterEffect(state, effect)
}

/** The state that calls of set_config lead to. */
function afterEffect(state: ConnectionState, effect: SetConfigEffect): ConnectionState {
  const next = withSettings(state, state.status === 'idle' ? withoutLocals(effect.settings) : effect.settings)
  return effect.disturbs ? withLocalSettings(next) : next
}

/** What a set_config does besides changing the connection's settings. */
export function noteSetConfig(unit: Unit, statement: Statement, effect: SetConfigEffect): void {
  for (const name of effect.ask) unit.ask(name)
  if (!effect.disturbs) return
  unit.world.disturbSettings()
  if (effect.unreadable) warnComputedSetting(unit, statement)
}

function warnComputedSetting(unit: Unit, statement: Statement): void {
  unit.level.recorder.warn({
    component: 'postgres',
    kind: 'computed-setting',
    message:
      'set_config with a computed name, or a computed reach: the setting lasts for this unit or transaction only',
    text: statement.text,
  })
}

/** A plan with what its statement's calls of set_config lead to. */
export function withEffect(plan: StatementPlan, effect: SetConfigEffect | undefined): StatementPlan {
  return effect === undefined ? plan : { ...plan, next: afterEffect(plan.next, effect) }
}

/** A COMMIT outside a transaction block ends what was set for the unit only; our savepoint's release would not. */
export function withLocalsEnded(plan: StatementPlan, isDisturbed: boolean): StatementPlan {
  if (plan.boundary !== 'keep' || !isDisturbed || plan.controls.length > 0) return plan
  return { ...plan, controls: settingsSteps(unknownSettings, plan.next.settings) }
}
