import type { Operation } from '../arms/arm.ts'
import type { BenchHost } from '../host.ts'
import { openArm } from '../process/arm-handle.ts'
import type { ArmHandle } from '../process/arm-handle.ts'
import type { ResultRow } from '../results.ts'
import { measureRounds } from '../rounds.ts'
import { compareRounds, summarise } from '../statistics.ts'
import type { BenchPlan } from './plan.ts'
import { measureRow } from './row.ts'
import type { RowHead } from './row.ts'

const statements: { operation: Operation; what: string; bound: boolean }[] = [
  { operation: 'select', what: 'Through the gateway, a simple select', bound: true },
  { operation: 'select with a parameter', what: 'Through the gateway, a select with a parameter', bound: true },
  { operation: 'insert', what: 'Through the gateway, an insert outside a transaction', bound: true },
  { operation: 'insert in a transaction', what: 'Through the gateway, an insert inside a transaction', bound: true },
  { operation: 'select 1,000 rows', what: 'Through the gateway, a select of 1,000 rows', bound: true },
  { operation: 'transaction', what: 'Through the gateway, begin, insert, commit', bound: false },
]

/** Each kind of statement through the gateway against a direct connection: the same driver, both over TCP. */
export async function measureStatements(host: BenchHost, plain: ArmHandle, plan: BenchPlan): Promise<ResultRow[]> {
  const rows: ResultRow[] = []
  for (const { operation, what, bound } of statements) {
    const head: RowHead = {
      id: `statement-${slug(operation)}`,
      what: `${what}, against a direct connection`,
      unit: 'times',
    }
    if (bound) head.hold = { comparison: 'at most', value: 1.2 }
    rows.push(await measureRow(head, () => compare(host.vivarium, plain, operation, plan, ['gateway', 'direct'])))
  }
  rows.push(await measurePgliteStatement(plain, plan))
  return rows
}

/** For scale: what a statement costs where there is no socket at all, but another engine. */
function measurePgliteStatement(plain: ArmHandle, plan: BenchPlan): Promise<ResultRow> {
  const head: RowHead = {
    id: 'statement-pglite-insert',
    what: 'In-process PGlite, an insert outside a transaction, against a direct connection',
    unit: 'times',
  }
  return measureRow(head, async () => {
    await using pglite = await openArm('PGlite, transaction', {})
    return await compare(pglite, plain, 'insert', plan, ['PGlite', 'direct'])
  })
}

async function compare(
  arm: ArmHandle,
  plain: ArmHandle,
  operation: Operation,
  plan: BenchPlan,
  names: [string, string],
): Promise<Pick<ResultRow, 'measured' | 'absolutes'>> {
  const count = operation === 'select 1,000 rows' ? plan.statements.manyRows : plan.statements.count
  const [measured = [], direct = []] = await measureRounds(
    [arm, plain].map((each) => ({ arm: each, operation, count })),
    plan.statements,
  )
  return {
    measured: compareRounds(measured, direct),
    absolutes: [
      { what: names[0], median: summarise(measured).median * 1_000, unit: 'µs' },
      { what: names[1], median: summarise(direct).median * 1_000, unit: 'µs' },
    ],
  }
}

function slug(operation: string): string {
  return operation.replaceAll(',', '').replaceAll(' ', '-')
}
