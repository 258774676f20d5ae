import type { PlanContext } from './plan.ts'
import type { QueryRecord } from './query-record.ts'
import type { Unit } from './unit.ts'

/** What the plan of a unit's next statement depends on. `implicitBlock`: other statements belong to the same unit. */
export function planContext(
  { world, owner, level, atBoundary }: Unit,
  implicitBlock: boolean,
  startsUnit: boolean,
  params: QueryRecord['params'] = [],
): PlanContext {
  return {
    implicitBlock,
    startsUnit,
    sessionBeforeUnit: atBoundary,
    initialSettings: owner.initialSettings,
    shared: {
      processId: world.session.processId,
      params,
      depth: world.depth,
      othersHaveTemporary: world.leftovers.othersHave(owner),
      routineTables: world.routines.temporary,
    },
    nextTransactionNumber: () => ++level.transactions,
  }
}
