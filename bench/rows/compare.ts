import type { Operation } from '../arms/arm.ts'
import type { ArmHandle } from '../process/arm-handle.ts'
import type { Absolute } from '../results.ts'
import { measureRounds } from '../rounds.ts'
import type { RoundPlan } from '../rounds.ts'
import { compareRounds, summarise } from '../statistics.ts'
import type { RowBody } from './row.ts'

/** One half of a comparison: what an arm does, how often in a round, and what the table calls it. */
export interface Compared {
  arm: ArmHandle
  operation: Operation
  count: number
  name: string
  /** How many things one operation is, where it is several. @default 1 */
  per?: number
}

/** The ratio of the first arm's time to the second one's, and both in milliseconds or microseconds. */
export async function compareArms(
  first: Compared,
  second: Compared,
  plan: RoundPlan,
  unit: 'µs' | 'ms' = 'ms',
): Promise<RowBody> {
  const [measured = [], reference = []] = await measureRounds([first, second], plan)
  return {
    measured: compareRounds(perThing(measured, first), perThing(reference, second)),
    absolutes: [
      absolute(perThing(measured, first), first.name, unit),
      absolute(perThing(reference, second), second.name, unit),
    ],
  }
}

function perThing(ms: readonly number[], { per = 1 }: Compared): number[] {
  return ms.map((value) => value / per)
}

function absolute(ms: readonly number[], what: string, unit: 'µs' | 'ms'): Absolute {
  return { what, median: summarise(ms).median * (unit === 'µs' ? 1_000 : 1), unit }
}
