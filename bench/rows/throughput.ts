import type { BenchHost } from '../host.ts'
import { openArm } from '../process/arm-handle.ts'
import type { ArmHandle } from '../process/arm-handle.ts'
import type { ResultRow } from '../results.ts'
import { summarise } from '../statistics.ts'
import type { BenchPlan } from './plan.ts'
import { measureRow } from './row.ts'

/** Two workers at once, each with sandboxes of one insert and one select, one after another. */
export function measureThroughput(host: BenchHost, plain: ArmHandle, plan: BenchPlan): Promise<ResultRow> {
  return measureRow(
    {
      id: 'sandboxes-per-second',
      what: 'Sandboxes per second, one insert and one select each, two worker processes',
      unit: 'per second',
      hold: { comparison: 'at least', value: 5_000 },
      note:
        'An absolute, so it belongs to the machine: the server’s two backends share the processor’s cores with the two ' +
        'workers. Beside it, the same two statements per second from two workers with no isolation at all.',
    },
    async () => {
      await using secondVivarium = await openArm('vivarium', { serverUrl: host.serverUrl })
      await using secondPlain = await openArm('plain', { databaseUrl: await host.createDatabase('second_plain') })
      const sandboxes: number[] = []
      const pairs: number[] = []
      for (let round = -plan.throughput.warmUp; round < plan.throughput.rounds; round++) {
        const isolated = await perSecond([host.vivarium, secondVivarium], plan.throughput.count)
        const bare = await perSecond([plain, secondPlain], plan.throughput.count)
        if (round < 0) continue
        sandboxes.push(isolated)
        pairs.push(bare)
      }
      return {
        measured: summarise(sandboxes),
        absolutes: [{ what: 'with no isolation', median: summarise(pairs).median, unit: 'per second' }],
      }
    },
  )
}

/** Tests per second of several arms together, from the first one's start to the last one's end. */
async function perSecond(arms: readonly ArmHandle[], count: number): Promise<number> {
  const started = performance.now()
  await Promise.all(arms.map((arm) => arm.measure('test', count)))
  return (count * arms.length * 1_000) / (performance.now() - started)
}
