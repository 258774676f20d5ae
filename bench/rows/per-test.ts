import type { BenchHost } from '../host.ts'
import { openArm } from '../process/arm-handle.ts'
import type { ArmHandle } from '../process/arm-handle.ts'
import type { Absolute, ResultRow } from '../results.ts'
import { measureRounds } from '../rounds.ts'
import { compareRounds, summarise } from '../statistics.ts'
import type { BenchPlan } from './plan.ts'
import { measureRow } from './row.ts'
import type { RowBody, RowHead } from './row.ts'

const others = ['truncate', 'template clone', 'pg-transactional-tests', 'PGlite, transaction'] as const
type Other = (typeof others)[number]

const faster: Record<Other, RowHead> = {
  truncate: {
    id: 'test-against-truncate',
    what: 'The same test, against TRUNCATE of 40 tables before it',
    unit: 'times faster',
    hold: { comparison: 'at least', value: 30 },
  },
  'template clone': {
    id: 'test-against-template-clone',
    what: 'The same test, against a template clone of its own (create, connect, drop)',
    unit: 'times faster',
  },
  'pg-transactional-tests': {
    id: 'test-against-pg-transactional-tests',
    what: 'The same test, against `pg-transactional-tests` (driver patched, one rolled-back transaction)',
    unit: 'times faster',
  },
  'PGlite, transaction': {
    id: 'test-against-pglite-transaction',
    what: 'The same test, against a rolled-back transaction in one in-process PGlite',
    unit: 'times faster',
  },
}

const againstPlain: RowHead = {
  id: 'test-against-plain',
  what: 'A test of two statements (open, insert, select, close), against the two statements on a plain connection with no isolation',
  unit: 'times',
  hold: { comparison: 'at most', value: 2 },
}

/** A whole test under each way of isolating it: insert one row, select it, nothing left afterwards. */
export async function measurePerTest(host: BenchHost, plain: ArmHandle, plan: BenchPlan): Promise<ResultRow[]> {
  const rows: ResultRow[] = []
  rows.push(
    await measureRow(againstPlain, async () => {
      const [vivarium = [], reference = []] = await measureRounds(
        [host.vivarium, plain].map((arm) => ({ arm, operation: 'test', count: plan.perTest.fast })),
        plan.perTest,
      )
      return ratio(vivarium, reference, 'with no isolation')
    }),
  )
  for (const name of others) rows.push(await measureRow(faster[name], () => compareWith(name, host, plan)))
  rows.push(await measurePgliteInstances(host, plan))
  return rows
}

async function compareWith(name: Other, host: BenchHost, plan: BenchPlan): Promise<RowBody> {
  const slow = name === 'truncate' || name === 'template clone'
  await using arm = await openArm(name, {
    serverUrl: host.serverUrl,
    databaseUrl: await host.createDatabase(name.replaceAll(/\W+/g, '_').toLowerCase()),
    templateDatabase: host.templateDatabase,
  })
  const [vivarium = [], other = []] = await measureRounds(
    [
      { arm: host.vivarium, operation: 'test', count: slow ? 10 : plan.perTest.fast },
      { arm, operation: 'test', count: slow ? plan.perTest.slow : plan.perTest.fast },
    ],
    plan.perTest,
  )
  return timesFaster(vivarium, other, name)
}

/** Too slow for rounds of its own: a few instances, each beside a round of Vivarium. */
function measurePgliteInstances(host: BenchHost, plan: BenchPlan): Promise<ResultRow> {
  const head: RowHead = {
    id: 'test-against-pglite-instance',
    what: 'The same test, against an in-process PGlite of its own (create, migrate, close)',
    unit: 'times faster',
  }
  return measureRow(head, async () => {
    const name = 'PGlite, new instance'
    await using arm = await openArm(name, {})
    const [vivarium = [], other = []] = await measureRounds(
      [
        { arm: host.vivarium, operation: 'test', count: plan.perTest.fast },
        { arm, operation: 'test', count: 1 },
      ],
      { rounds: plan.pglite.instances, warmUp: 0 },
    )
    return timesFaster(vivarium, other, name)
  })
}

function ratio(vivarium: readonly number[], reference: readonly number[], name: string): RowBody {
  return { measured: compareRounds(vivarium, reference), absolutes: absolutes(vivarium, reference, name) }
}

function timesFaster(vivarium: readonly number[], other: readonly number[], name: string): RowBody {
  return { measured: compareRounds(other, vivarium), absolutes: absolutes(vivarium, other, name) }
}

function absolutes(vivarium: readonly number[], other: readonly number[], name: string): Absolute[] {
  return [
    { what: 'Vivarium', median: summarise(vivarium).median, unit: 'ms' },
    { what: name, median: summarise(other).median, unit: 'ms' },
  ]
}
