import type { BenchHost } from '../host.ts'
import { openArm } from '../process/arm-handle.ts'
import type { ResultRow } from '../results.ts'
import { measureRounds } from '../rounds.ts'
import { summarise } from '../statistics.ts'
import type { BenchPlan } from './plan.ts'
import { measureRow } from './row.ts'

/** What components cost a test that does not use them. */
export async function measureComponents(host: BenchHost, plan: BenchPlan): Promise<ResultRow[]> {
  const row = await measureRow(
    {
      id: 'unused-components',
      what: 'What an unused mail server, an unused mock and HTTP that nobody speaks add to an empty test (open, close), as a part of its time',
      unit: 'times',
      hold: { comparison: 'at most', value: 0.2 },
      note: 'Two vivariums in one process, on one server; a test with no statement. Less than nothing is noise.',
    },
    async () => {
      await using arm = await openArm('components', { serverUrl: host.serverUrl })
      const { count } = plan.components
      const [alone = [], together = []] = await measureRounds(
        [
          { arm, operation: 'empty test', count },
          { arm, operation: 'empty test beside components', count },
        ],
        plan.components,
      )
      const microseconds = (ms: readonly number[], what: string) => ({
        what,
        median: summarise(ms).median * 1_000,
        unit: 'µs' as const,
      })
      return {
        measured: summarise(together.map((ms, round) => ms / (alone[round] ?? Number.NaN) - 1)),
        absolutes: [microseconds(together, 'with all three'), microseconds(alone, 'Postgres alone')],
      }
    },
  )
  return [row]
}
