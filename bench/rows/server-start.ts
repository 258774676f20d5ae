import { migrationsFolder } from '../fixture/schema.ts'
import { runProbe } from '../process/probe.ts'
import type { ResultRow } from '../results.ts'
import { summarise } from '../statistics.ts'
import { openTemporaryFolder } from '../temporary-folder.ts'
import type { BenchPlan } from './plan.ts'
import { measureRow } from './row.ts'
import type { RowBody } from './row.ts'

/** The embedded server's start as a user has it, `openVivarium`: from a cache that is warm, and on a machine that has none. */
export async function measureServerStart(plan: BenchPlan): Promise<ResultRow[]> {
  const warm = await measureRow(
    {
      id: 'server-start-warm',
      what: 'Server start with a warm cache: `openVivarium`, the template of 41 tables included',
      unit: 's',
      hold: { comparison: 'at most', value: 0.15 },
      note: 'An absolute: a process of its own, its modules loaded, until `openVivarium` has resolved.',
    },
    () => measureWarmStarts(plan.children.rounds),
  )
  const first = await measureRow(
    {
      id: 'server-start-first',
      what: 'The first start ever: the same with an empty cache, so initdb and all migrations are in it',
      unit: 's',
      hold: { comparison: 'at most', value: 2 },
      note: 'An absolute: an empty `VIVARIUM_CACHE_DIR` for each start.',
    },
    () => measureFirstStarts(plan.children.firstEver),
  )
  return [warm, first]
}

async function measureWarmStarts(rounds: number): Promise<RowBody> {
  return inCacheFolder(async (folder) => {
    await measureStart(folder)
    const seconds: number[] = []
    for (let round = 0; round < rounds; round++) seconds.push(await measureStart(folder))
    return { measured: summarise(seconds) }
  })
}

async function measureFirstStarts(rounds: number): Promise<RowBody> {
  const seconds: number[] = []
  for (let round = 0; round < rounds; round++) seconds.push(await inCacheFolder(measureStart))
  return { measured: summarise(seconds) }
}

async function measureStart(cacheFolder: string): Promise<number> {
  const { openMs = Number.NaN } = await runProbe('start-probe', [migrationsFolder], { VIVARIUM_CACHE_DIR: cacheFolder })
  return openMs / 1_000
}

async function inCacheFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  await using folder = await openTemporaryFolder('cache')
  return await run(folder.path)
}
