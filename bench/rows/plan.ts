import type { RoundPlan } from '../rounds.ts'

/** How much is measured; `--quick` measures less of everything. */
export interface BenchPlan {
  perTest: RoundPlan & { fast: number; slow: number }
  pglite: { instances: number }
  statements: RoundPlan & { count: number; manyRows: number }
  drivers: RoundPlan & { count: number }
  /** `few`: no more than the warm pool holds. */
  realDatabases: RoundPlan & { few: number; many: number }
  /** `tests` in a round of the rows about tables; `statements` in all rounds together of each row about statements. */
  growth: RoundPlan & { tests: number; statements: number }
  throughput: RoundPlan & { count: number }
  workers: RoundPlan & { count: number }
  concurrency: RoundPlan & { tests: number; queries: number }
  components: RoundPlan & { count: number }
  redis: RoundPlan & { commands: number; pipelines: number; tests: number }
  factory: RoundPlan & { rows: number; lists: number }
  switched: { rounds: number }
  suite: { rounds: number; otherRounds: number; slowRounds: number; files: number; tests: number }
  children: { rounds: number; firstEver: number }
}

/** The default run: under twelve minutes on two cores. */
export const fullPlan: BenchPlan = {
  perTest: { rounds: 40, warmUp: 5, fast: 50, slow: 1 },
  pglite: { instances: 3 },
  statements: { rounds: 40, warmUp: 5, count: 100, manyRows: 20 },
  drivers: { rounds: 30, warmUp: 3, count: 50 },
  realDatabases: { rounds: 12, warmUp: 2, few: 3, many: 12 },
  growth: { rounds: 8, warmUp: 1, tests: 50, statements: 30_000 },
  throughput: { rounds: 5, warmUp: 1, count: 1_500 },
  workers: { rounds: 3, warmUp: 1, count: 2_400 },
  concurrency: { rounds: 12, warmUp: 2, tests: 1, queries: 10 },
  components: { rounds: 40, warmUp: 5, count: 3_000 },
  redis: { rounds: 40, warmUp: 5, commands: 200, pipelines: 10, tests: 50 },
  factory: { rounds: 20, warmUp: 3, rows: 50, lists: 1 },
  switched: { rounds: 5 },
  suite: { rounds: 5, otherRounds: 3, slowRounds: 1, files: 20, tests: 50 },
  children: { rounds: 5, firstEver: 3 },
}

/** `--quick`: to see that everything runs. */
export const quickPlan: BenchPlan = {
  perTest: { rounds: 8, warmUp: 2, fast: 30, slow: 1 },
  pglite: { instances: 1 },
  statements: { rounds: 8, warmUp: 2, count: 50, manyRows: 10 },
  drivers: { rounds: 4, warmUp: 1, count: 20 },
  realDatabases: { rounds: 3, warmUp: 1, few: 3, many: 8 },
  growth: { rounds: 3, warmUp: 1, tests: 20, statements: 2_000 },
  throughput: { rounds: 2, warmUp: 1, count: 500 },
  workers: { rounds: 1, warmUp: 0, count: 400 },
  concurrency: { rounds: 3, warmUp: 1, tests: 1, queries: 4 },
  components: { rounds: 8, warmUp: 2, count: 1_000 },
  redis: { rounds: 8, warmUp: 2, commands: 100, pipelines: 5, tests: 20 },
  factory: { rounds: 4, warmUp: 1, rows: 20, lists: 1 },
  switched: { rounds: 1 },
  suite: { rounds: 1, otherRounds: 1, slowRounds: 1, files: 4, tests: 25 },
  children: { rounds: 2, firstEver: 1 },
}
