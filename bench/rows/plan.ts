import type { RoundPlan } from '../rounds.ts'

/** How much is measured; `--quick` measures less of everything. */
export interface BenchPlan {
  perTest: RoundPlan & { fast: number; slow: number }
  pglite: { instances: number }
  statements: RoundPlan & { count: number; manyRows: number }
  throughput: RoundPlan & { count: number }
  suite: { rounds: number; otherRounds: number; slowRounds: number; files: number; tests: number }
  children: { rounds: number; firstEver: number }
}

/** The default run: under six minutes on two cores. */
export const fullPlan: BenchPlan = {
  perTest: { rounds: 40, warmUp: 5, fast: 50, slow: 1 },
  pglite: { instances: 3 },
  statements: { rounds: 40, warmUp: 5, count: 100, manyRows: 20 },
  throughput: { rounds: 5, warmUp: 1, count: 1_500 },
  suite: { rounds: 5, otherRounds: 3, slowRounds: 1, files: 20, tests: 50 },
  children: { rounds: 5, firstEver: 3 },
}

/** `--quick`: to see that everything runs. */
export const quickPlan: BenchPlan = {
  perTest: { rounds: 8, warmUp: 2, fast: 30, slow: 1 },
  pglite: { instances: 1 },
  statements: { rounds: 8, warmUp: 2, count: 50, manyRows: 10 },
  throughput: { rounds: 2, warmUp: 1, count: 500 },
  suite: { rounds: 1, otherRounds: 1, slowRounds: 1, files: 4, tests: 25 },
  children: { rounds: 2, firstEver: 1 },
}
