import type { SessionState } from './connection-state.ts'
import type { PlanContext, SharedSession } from './plan.ts'
import type { QueryRecord } from './query-record.ts'
import type { Settings } from './settings.ts'
import type { Unit } from './unit.ts'

/** What the plan of one statement of a unit depends on; what few plans ask for is looked up when they do. */
export class UnitContext implements PlanContext {
  readonly implicitBlock: boolean
  readonly startsUnit: boolean
  readonly sessionBeforeUnit: SessionState
  readonly #unit: Unit
  readonly #params: QueryRecord['params']

  constructor(
    unit: Unit,
    implicitBlock: boolean,
    startsUnit: boolean,
    params: QueryRecord['params'],
    sessionBeforeUnit: SessionState,
  ) {
    this.#unit = unit
    this.implicitBlock = implicitBlock
    this.startsUnit = startsUnit
    this.#params = params
    this.sessionBeforeUnit = sessionBeforeUnit
  }

  get initialSettings(): Settings {
    return this.#unit.owner.initialSettings
  }

  get shared(): SharedSession {
    const { world, owner } = this.#unit
    return {
      processId: world.session.processId,
      params: this.#params,
      depth: world.depth,
      othersHaveTemporary: world.leftovers.othersHave(owner),
      routineTables: world.routines.temporary,
    }
  }

  nextTransactionNumber(): number {
    return ++this.#unit.level.transactions
  }
}
