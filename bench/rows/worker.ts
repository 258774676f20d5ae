import type { BenchHost } from '../host.ts'
import { runProbe } from '../process/probe.ts'
import type { ResultRow } from '../results.ts'
import { summarise } from '../statistics.ts'
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
      what: 'A worker’s set-up: gateway, lease, first session, up to the first statement’s answer',
      unit: 'ms',
      hold: { comparison: 'at most', value: 25 },
      note:
        'An absolute. Measured from outside, so it holds more than the bound speaks of: a process of its own that finds the ' +
        'running server and the template that is there, leases a clone, opens gateway and sandbox, connects a `pg` client and ' +
        'has its first answer. Modules are loaded before.',
    },
    async () => {
      const measured: number[] = []
      for (let round = 0; round < plan.children.rounds; round++) {
        const { firstStatementMs = Number.NaN } = await runProbe('start-probe', [host.serverUrl])
        measured.push(firstStatementMs)
      }
      return { measured: summarise(measured) }
    },
  )
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
        const without = await runProbe('memory-probe', ['plain', plainUrl])
        const withVivarium = await runProbe('memory-probe', ['vivarium', host.serverUrl])
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
