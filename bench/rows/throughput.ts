import type { BenchHost } from '../host.ts'
import { openArm } from '../process/arm-handle.ts'
import type { ArmHandle } from '../process/arm-handle.ts'
import type { ResultRow } from '../results.ts'
import type { RoundPlan } from '../rounds.ts'
import { summarise } from '../statistics.ts'
import type { BenchPlan } from './plan.ts'
import { measureRow } from './row.ts'
import type { RowBody, RowHead } from './row.ts'

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
      return await compareThroughput([host.vivarium, secondVivarium], [plain, secondPlain], plan.throughput)
    },
  )
}

const workerCounts = [1, 2, 4, 8]

/** The same with one, two, four and eight workers: all together do `count` tests in a round. */
export async function measureWorkers(host: BenchHost, _plain: ArmHandle, plan: BenchPlan): Promise<ResultRow[]> {
  const isolated: ArmHandle[] = []
  const bare: ArmHandle[] = []
  const rows: ResultRow[] = []
  try {
    for (const workers of workerCounts) {
      const head: RowHead = {
        id: `workers-${workers}`,
        what: `Sandboxes per second, one insert and one select each, ${workers} worker process${workers === 1 ? '' : 'es'} in one run`,
        unit: 'per second',
        note: workers === 1 ? 'An absolute, like the one above: more workers than cores only share them.' : undefined,
      }
      const row = measureRow(head, async () => {
        while (isolated.length < workers) {
          const databaseUrl = await host.createDatabase(`workers_${isolated.length + 1}`)
          isolated.push(await openArm('vivarium', { serverUrl: host.serverUrl }))
          bare.push(await openArm('plain', { databaseUrl }))
        }
        return await compareThroughput(isolated, bare, { ...plan.workers, count: plan.workers.count / workers })
      })
      rows.push(await row)
    }
  } finally {
    await Promise.all([...isolated, ...bare].map((arm) => arm.close()))
  }
  return rows
}

/** Both in interleaved rounds: tests per second with isolation and, for information, without. */
async function compareThroughput(
  isolated: readonly ArmHandle[],
  bare: readonly ArmHandle[],
  { rounds, warmUp, count }: RoundPlan & { count: number },
): Promise<RowBody> {
  const sandboxes: number[] = []
  const pairs: number[] = []
  for (let round = -warmUp; round < rounds; round++) {
    const [withIsolation, without] = [await perSecond(isolated, count), await perSecond(bare, count)]
    if (round < 0) continue
    sandboxes.push(withIsolation)
    pairs.push(without)
  }
  return {
    measured: summarise(sandboxes),
    absolutes: [{ what: 'with no isolation', median: summarise(pairs).median, unit: 'per second' }],
  }
}

/** Tests per second of several arms together, from the first one's start to the last one's end. */
async function perSecond(arms: readonly ArmHandle[], count: number): Promise<number> {
  const started = performance.now()
  await Promise.all(arms.map((arm) => arm.measure('test', count)))
  return (count * arms.length * 1_000) / (performance.now() - started)
}
