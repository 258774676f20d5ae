import { manyAtOnce } from '../arms/fifty.ts'
import type { BenchHost } from '../host.ts'
import type { ArmHandle } from '../process/arm-handle.ts'
import type { ResultRow } from '../results.ts'
import { compareArms } from './compare.ts'
import type { BenchPlan } from './plan.ts'
import { measureRow } from './row.ts'

/** Fifty at once: tests that each have a sandbox, and queries of one test. */
export async function measureConcurrency(host: BenchHost, plain: ArmHandle, plan: BenchPlan): Promise<ResultRow[]> {
  const against = (operation: 'fifty tests' | 'fifty queries', count: number) => (): ReturnType<typeof compareArms> =>
    compareArms(
      { arm: host.vivarium, operation, count, name: 'Vivarium', per: manyAtOnce },
      { arm: plain, operation, count, name: 'with no isolation', per: manyAtOnce },
      plan.concurrency,
    )
  return [
    await measureRow(
      {
        id: 'fifty-tests-at-once',
        what: 'Fifty tests at once in one process, each with a sandbox and a connection of its own (connect, insert, select, end), against the same with no isolation',
        unit: 'times',
        note: 'Fifty databases and fifty server connections; both stay for the next fifty tests. The numbers beside it are per test.',
      },
      against('fifty tests', plan.concurrency.tests),
    ),
    await measureRow(
      {
        id: 'fifty-queries-at-once',
        what: 'Fifty queries at once on a pool of fifty connections in one sandbox, against fifty direct connections',
        unit: 'times',
        note: 'In one sandbox they share one session of the server, one after another. The numbers beside it are per query.',
      },
      against('fifty queries', plan.concurrency.queries),
    ),
  ]
}
