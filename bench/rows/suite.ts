import { migrationsFolder, truncateAll } from '../fixture/schema.ts'
import type { BenchHost } from '../host.ts'
import type { ResultRow } from '../results.ts'
import { compareRounds, summarise } from '../statistics.ts'
import { generateSuite } from '../suite/generate.ts'
import type { GeneratedSuite } from '../suite/generate.ts'
import { ordersSuite, statementsPerTest } from '../suite/kinds.ts'
import { runSuite } from '../suite/run-suite.ts'
import type { SuiteVariant } from '../suite/variants.ts'
import type { BenchPlan } from './plan.ts'
import { measureRow } from './row.ts'

const variants: readonly SuiteVariant[] = [
  'no isolation',
  'vivarium',
  'vivarium embedded',
  'pg-transactional-tests',
  'truncate',
]
const workers = 2

/** Seconds of each run of a variant, or why it has none. */
type SuiteTimes = Map<SuiteVariant, number[] | Error>

/** A whole Vitest suite, process start to process end, under each way of isolating it. */
export async function measureSuite(host: BenchHost, plan: BenchPlan): Promise<ResultRow[]> {
  const { files, tests } = plan.suite
  const suite = `A Vitest suite of ${(files * tests).toLocaleString('en-US')} tests (${files} files, ${statementsPerTest} statements each)`
  const times = await runAll(host, plan)
  const against = (id: string, variant: SuiteVariant, what: string, hold?: ResultRow['hold']): Promise<ResultRow> =>
    measureRow({ id, what: `${suite} ${what}, against the same with no isolation at all`, unit: 'times', hold }, () =>
      compare(times, variant),
    )
  return [
    await against('suite-vivarium', 'vivarium', 'under Vivarium', { comparison: 'at most', value: 1.1 }),
    await against(
      'suite-vivarium-embedded',
      'vivarium embedded',
      'under Vivarium, with the start of a server of its own',
    ),
    await against('suite-pg-transactional-tests', 'pg-transactional-tests', 'under `pg-transactional-tests`'),
    await against('suite-truncate', 'truncate', 'with TRUNCATE of 40 tables before each test'),
  ]
}

async function runAll(host: BenchHost, plan: BenchPlan): Promise<SuiteTimes> {
  const { files, tests, rounds, otherRounds, slowRounds } = plan.suite
  const databaseUrls: string[] = []
  for (let worker = 1; worker <= workers; worker++) databaseUrls.push(await host.createDatabase(`suite_${worker}`))
  await using suite = await generateSuite({
    kind: ordersSuite,
    files,
    testsPerFile: tests,
    variants,
    server: { serverUrl: host.serverUrl, databaseUrls, migrations: migrationsFolder, truncate: truncateAll },
  })
  const times: SuiteTimes = new Map(variants.map((variant) => [variant, []]))
  for (let round = 0; round < rounds; round++) {
    const compared: SuiteVariant[] = ['no isolation', 'vivarium']
    const beside: SuiteVariant[] = round < otherRounds ? ['vivarium embedded', 'pg-transactional-tests'] : []
    const fast = [...compared, ...beside]
    // Each round begins with another variant.
    const order = fast.map((_, turn) => fast[(turn + round) % fast.length] ?? 'vivarium')
    for (const variant of order) await runInto(times, suite, variant)
  }
  // Last, because it leaves the catalogs of its databases bloated.
  for (let round = 0; round < slowRounds; round++) await runInto(times, suite, 'truncate')
  return times
}

async function runInto(times: SuiteTimes, suite: GeneratedSuite, variant: SuiteVariant): Promise<void> {
  const seconds = times.get(variant)
  if (!Array.isArray(seconds)) return
  try {
    seconds.push(await runSuite(suite, variant))
  } catch (error) {
    times.set(variant, error instanceof Error ? error : new Error(String(error)))
  }
}

function compare(times: SuiteTimes, variant: SuiteVariant): Pick<ResultRow, 'measured' | 'absolutes'> {
  const measured = secondsOf(times, variant)
  const reference = secondsOf(times, 'no isolation').slice(0, measured.length)
  return {
    measured: compareRounds(measured, reference),
    absolutes: [
      { what: variant, median: summarise(measured).median, unit: 's' },
      { what: 'no isolation', median: summarise(reference).median, unit: 's' },
    ],
  }
}

function secondsOf(times: SuiteTimes, variant: SuiteVariant): number[] {
  const seconds = times.get(variant) ?? new Error(`The suite under '${variant}' was not run`)
  if (seconds instanceof Error) throw seconds
  return seconds
}
