import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { migrationsFolder, truncateAll } from '../fixture/schema.ts'
import type { BenchHost } from '../host.ts'
import { runProbe } from '../process/probe.ts'
import type { ResultRow } from '../results.ts'
import { summarise } from '../statistics.ts'
import { generateSuite } from '../suite/generate.ts'
import type { GeneratedSuite } from '../suite/generate.ts'
import { firstStatementSuite } from '../suite/kinds.ts'
import { runSuite } from '../suite/run-suite.ts'
import type { SuiteVariant } from '../suite/variants.ts'
import type { BenchPlan } from './plan.ts'
import { measureRow } from './row.ts'

/** What a test worker pays once: time until it can test, and memory. */
export async function measureWorker(host: BenchHost, plan: BenchPlan): Promise<ResultRow[]> {
  return [await measureSetUp(host, plan), await measureMemory(host, plan)]
}

function measureSetUp(host: BenchHost, plan: BenchPlan): Promise<ResultRow> {
  return measureRow(
    {
      id: 'worker-set-up',
      what: 'A Vitest worker’s set-up: gateway, lease, first session',
      unit: 'ms',
      hold: { comparison: 'at most', value: 25 },
      note:
        'An absolute. In each file of a Vitest suite: the time from the worker’s first set-up file to the answer to the first ' +
        'statement of its first test, under Vivarium less the same with no isolation. So loading Vivarium’s modules and opening ' +
        'the file’s and the test’s sandbox are in it, beyond what the bound speaks of.',
    },
    async () => {
      const databaseUrls = [await host.createDatabase('worker')]
      await using suite = await generateSuite({
        kind: firstStatementSuite,
        files: 8,
        testsPerFile: 1,
        variants: ['no isolation', 'vivarium'],
        server: { serverUrl: host.serverUrl, databaseUrls, migrations: migrationsFolder, truncate: truncateAll },
      })
      const added: number[] = []
      const bare: number[] = []
      for (let round = 0; round < plan.children.rounds; round++) {
        const without = await measureReady(suite, 'no isolation')
        bare.push(without)
        added.push((await measureReady(suite, 'vivarium')) - without)
      }
      return {
        measured: summarise(added),
        absolutes: [{ what: 'with no isolation', median: summarise(bare).median, unit: 'ms' }],
      }
    },
  )
}

/** The median, over the files of a suite, of the milliseconds that a worker needs to its first answer. */
async function measureReady(suite: GeneratedSuite, variant: SuiteVariant): Promise<number> {
  const file = join(suite.folder, 'ready-ms.txt')
  await rm(file, { force: true })
  await runSuite(suite, variant)
  const text = await readFile(file, 'utf8')
  return summarise(text.trim().split('\n').map(Number)).median
}

function measureMemory(host: BenchHost, plan: BenchPlan): Promise<ResultRow> {
  return measureRow(
    {
      id: 'worker-memory',
      what: 'Memory that Vivarium adds to a worker',
      unit: 'MB',
      hold: { comparison: 'at most', value: 30 },
      note:
        'Resident memory after 100 tests and a garbage collection, a process with Vivarium less a process with the same ' +
        'statements on a plain connection.',
    },
    async () => {
      const plainUrl = await host.createDatabase('memory')
      const added: number[] = []
      const bare: number[] = []
      for (let round = 0; round < plan.children.rounds; round++) {
        const without = await runProbe('memory-probe', ['plain', plainUrl, migrationsFolder])
        const withVivarium = await runProbe('memory-probe', ['vivarium', host.serverUrl, migrationsFolder])
        bare.push(without['megabytes'] ?? Number.NaN)
        added.push((withVivarium['megabytes'] ?? Number.NaN) - (without['megabytes'] ?? Number.NaN))
      }
      return {
        measured: summarise(added),
        absolutes: [{ what: 'a process without it', median: summarise(bare).median, unit: 'MB' }],
      }
    },
  )
}
