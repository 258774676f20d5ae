/**
 * `npm run bench`: measures everything in one run, prints the table, writes `bench/results.json` and the README's table.
 *
 * --quick        fewer rounds, to see that everything runs; leaves the README and results.json as they are
 * --only=a,b     only these groups: tests, databases, statements, drivers, growth, throughput, workers, concurrency, components, redis, factory,
 *                worker, start, contract, switched, suite; leaves the files as they are
 * --keep         with --only: these rows take the place of their former selves in results.json and the README, new ones come last
 */
import { parseArgs } from 'node:util'
import { describeEnvironment } from './environment.ts'
import { openHost } from './host.ts'
import type { BenchHost } from './host.ts'
import { openArm } from './process/arm-handle.ts'
import type { ArmHandle } from './process/arm-handle.ts'
import { writeReadme } from './readme.ts'
import { renderResults } from './render.ts'
import { holds, readResults, writeResults } from './results.ts'
import type { BenchResults, ResultRow } from './results.ts'
import { measureComponents } from './rows/components.ts'
import { measureConcurrency } from './rows/concurrency.ts'
import { measureContract } from './rows/contract.ts'
import { measureDrivers } from './rows/drivers.ts'
import { measureFactory } from './rows/factory.ts'
import { measureGrowth } from './rows/growth.ts'
import { measurePerTest } from './rows/per-test.ts'
import { fullPlan, quickPlan } from './rows/plan.ts'
import type { BenchPlan } from './rows/plan.ts'
import { measureRealDatabases } from './rows/real-databases.ts'
import { measureRedis } from './rows/redis.ts'
import { measureServerStart } from './rows/server-start.ts'
import { measureStatements } from './rows/statements.ts'
import { measureSuite } from './rows/suite.ts'
import { measureSwitched } from './rows/switched.ts'
import { measureThroughput, measureWorkers } from './rows/throughput.ts'
import { measureWorker } from './rows/worker.ts'

type Group = (host: BenchHost, plain: ArmHandle, plan: BenchPlan) => Promise<ResultRow[]>

// In the order of the table; those that leave the server with more to do come last.
const groups: Record<string, Group> = {
  tests: measurePerTest,
  databases: measureRealDatabases,
  statements: measureStatements,
  drivers: measureDrivers,
  growth: measureGrowth,
  throughput: async (host, plain, plan) => [await measureThroughput(host, plain, plan)],
  workers: measureWorkers,
  concurrency: measureConcurrency,
  components: (host, _plain, plan) => measureComponents(host, plan),
  redis: (_host, _plain, plan) => measureRedis(plan),
  factory: (_host, _plain, plan) => measureFactory(plan),
  worker: (host, _plain, plan) => measureWorker(host, plan),
  start: (_host, _plain, plan) => measureServerStart(plan),
  contract: (_host, _plain, plan) => measureContract(plan),
  switched: measureSwitched,
  suite: (host, _plain, plan) => measureSuite(host, plan),
}

async function measure(names: readonly string[], plan: BenchPlan, mode: BenchResults['mode']): Promise<BenchResults> {
  await using host = await openHost()
  await using plain = await openArm('plain', { databaseUrl: await host.createDatabase('plain') })
  const rows: ResultRow[] = []
  for (const name of names) {
    const started = performance.now()
    rows.push(...((await groups[name]?.(host, plain, plan)) ?? []))
    console.error(`${name}: measured in ${((performance.now() - started) / 1_000).toFixed(0)} s`)
  }
  return { date: new Date().toISOString(), mode, environment: await describeEnvironment(host.serverVersion), rows }
}

function chooseGroups(only: string | undefined): string[] {
  const known = Object.keys(groups)
  const names = only?.split(',') ?? known
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Error(`There is no group '${unknown}'; there are: ${known.join(', ')}`)
  return names
}

/** The rows of an earlier run, with those that were measured again in their places. */
function among(earlier: BenchResults, { rows }: BenchResults): ResultRow[] {
  const again = new Map(rows.map((row) => [row.id, row]))
  const kept = earlier.rows.map((row) => again.get(row.id) ?? { ...row, date: row.date ?? earlier.date })
  return [...kept, ...rows.filter((row) => !kept.includes(row))]
}

/** A row that was not measured fails the run; a bound that does not hold is said, because it depends on the machine. */
function report(rows: readonly ResultRow[]): void {
  const missing = rows.filter((row) => row.measured === undefined)
  const broken = rows.filter((row) => holds(row) === false)
  const held = rows.filter((row) => holds(row) === true)
  console.log(
    `\n${held.length} bounds hold, ${broken.length} do not${broken.length === 0 ? '' : `: ${broken.map((row) => row.id).join(', ')}`}.`,
  )
  for (const row of missing) console.error(`${row.id} could not be measured: ${row.failure}`)
  if (missing.length > 0) process.exitCode = 1
}

// The numbers are those of the embedded server with its own settings, whatever the developer's shell says.
for (const name of ['VIVARIUM_POSTGRES_URL', 'VIVARIUM_ISOLATION', 'VIVARIUM_CACHE_DIR']) delete process.env[name]

// What is open closes itself when the process ends: temporary folders, and the arms when their channel does.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
})
const results = await measure(
  chooseGroups(values.only),
  values.quick ? quickPlan : fullPlan,
  values.quick ? 'quick' : 'full',
)
console.log(renderResults(results))
report(results.rows)
if (!values.quick && (values.only === undefined || values.keep)) {
  await writeResults(values.only === undefined ? results : { ...results, rows: among(await readResults(), results) })
  // From what was kept: it is rounded, and rendering more digits could end in another one.
  await writeReadme(await readResults())
}
