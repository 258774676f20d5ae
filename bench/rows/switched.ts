import { cp, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BenchHost } from '../host.ts'
import type { ArmHandle } from '../process/arm-handle.ts'
import type { ResultRow } from '../results.ts'
import { compareRounds, summarise } from '../statistics.ts'
import { timeVitest } from '../suite/time-vitest.ts'
import type { VitestRun } from '../suite/time-vitest.ts'
import { openTemporaryFolder } from '../temporary-folder.ts'
import type { BenchPlan } from './plan.ts'
import { measureRow } from './row.ts'

/** A hundred tests of a helpdesk, written for TRUNCATE: `npm test` shows that they pass as they are under Vivarium. */
const helpdesk = fileURLToPath(
  new URL('../../packages/vivarium/test/switched-suite/fixtures/helpdesk', import.meta.url),
)
const nodeModules = fileURLToPath(new URL('../../node_modules', import.meta.url))

type Way = 'truncate' | 'vivarium' | 'one worker' | 'database'
const ways: readonly Way[] = ['truncate', 'vivarium', 'one worker', 'database']

const what = 'A suite of 100 tests with a global pool and TRUNCATE before each (10 files, 8 tables to truncate)'

/** A suite that somebody else would have, before and after its configuration is changed; whole runs, one after another. */
export async function measureSwitched(host: BenchHost, _plain: ArmHandle, plan: BenchPlan): Promise<ResultRow[]> {
  const seconds = await runAll(host, plan.switched.rounds)
  const against = (id: string, way: Way, how: string, note?: string): Promise<ResultRow> =>
    measureRow(
      { id, what: `${what}, switched to Vivarium by configuration alone${how}`, unit: 'times faster', note },
      () => {
        const [before, after] = [measured(seconds, 'truncate'), measured(seconds, way)]
        return {
          measured: compareRounds(before, after),
          absolutes: [
            { what: 'before', median: summarise(before).median, unit: 's' },
            { what: 'after', median: summarise(after).median, unit: 's' },
          ],
        }
      },
    )
  return [
    await against(
      'switched-suite',
      'vivarium',
      '',
      'Whole runs, from the start of Vitest’s process to its end. Before: one worker, because the files share one database, which ' +
        'is up and migrated. After: as many workers as Vitest takes, and the start of a server of its own is in it.',
    ),
    await against('switched-suite-one-worker', 'one worker', ', still with one worker'),
    await against('switched-suite-database', 'database', ', in isolation `database`'),
  ]
}

/** Seconds of each round, or why a way could not be measured. */
type Seconds = Map<Way, number[] | Error>

function measured(seconds: Seconds, way: Way): number[] {
  const found = seconds.get(way) ?? new Error(`The suite was not run: ${way}`)
  if (found instanceof Error) throw found
  return found
}

async function runAll(host: BenchHost, rounds: number): Promise<Seconds> {
  await using folder = await openTemporaryFolder('switched')
  await cp(helpdesk, folder.path, { recursive: true })
  await symlink(nodeModules, join(folder.path, 'node_modules'))
  const databaseUrl = await host.createDatabase('switched', '')
  const seconds: Seconds = new Map(ways.map((way) => [way, []]))
  // The first round fills the caches and is not counted.
  for (let round = -1; round < rounds; round++) {
    for (let turn = 0; turn < ways.length; turn++) {
      const way = ways[(turn + round + 1) % ways.length] ?? 'vivarium'
      await runInto(seconds, way, vitestRun(way, folder.path, databaseUrl), round >= 0)
    }
  }
  return seconds
}

async function runInto(seconds: Seconds, way: Way, run: VitestRun, counts: boolean): Promise<void> {
  const taken = seconds.get(way)
  if (!Array.isArray(taken)) return
  try {
    const once = await timeVitest(run)
    if (counts) taken.push(once)
  } catch (error) {
    seconds.set(way, error instanceof Error ? error : new Error(String(error)))
  }
}

function vitestRun(way: Way, folder: string, databaseUrl: string): VitestRun {
  const after = { name: way, folder, config: 'vitest.vivarium.config.ts', tests: 100 }
  switch (way) {
    case 'truncate':
      return { ...after, config: 'vitest.config.ts', env: { DATABASE_URL: databaseUrl } }
    case 'vivarium':
      return after
    case 'one worker':
      return { ...after, args: ['--no-file-parallelism'] }
    case 'database':
      return { ...after, env: { VIVARIUM_ISOLATION: 'database' } }
  }
}
