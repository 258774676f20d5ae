import type { Operation } from './arms/arm.ts'
import type { ArmHandle } from './process/arm-handle.ts'

/** One arm's part of each round. */
export interface RoundPart {
  arm: ArmHandle
  operation: Operation
  /** How often the operation is done in one round: enough to be measured, few enough to alternate. */
  count: number
}

/** How many rounds count, and how many come before them to warm up. */
export interface RoundPlan {
  rounds: number
  warmUp: number
}

/**
 * Measures several arms in small interleaved rounds, one arm at a time, each round beginning with another arm: a lone
 * client is slower per statement than one on a busy processor, and a machine drifts. Returns milliseconds per
 * operation, one number per round, in the order of `parts`.
 */
export async function measureRounds(parts: readonly RoundPart[], plan: RoundPlan): Promise<number[][]> {
  const measured: number[][] = parts.map(() => [])
  for (let round = -plan.warmUp; round < plan.rounds; round++) {
    for (let turn = 0; turn < parts.length; turn++) {
      const index = (turn + round + plan.warmUp) % parts.length
      const part = parts[index]
      if (part === undefined) continue
      const ms = await part.arm.measure(part.operation, part.count)
      if (round >= 0) measured[index]?.push(ms / part.count)
    }
  }
  return measured
}
