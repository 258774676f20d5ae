import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BenchHost } from '../host.ts'
import { openArm } from '../process/arm-handle.ts'
import type { ArmHandle } from '../process/arm-handle.ts'
import type { ResultRow } from '../results.ts'
import { openTemporaryFolder } from '../temporary-folder.ts'
import { compareArms } from './compare.ts'
import type { BenchPlan } from './plan.ts'
import { measureRow } from './row.ts'

const tableCounts = [10, 100, 1_000]
const statementCounts = [100, 1_000, 10_000]

/** How the cost of a test grows: with the tables of the schema, and with the statements of the test. */
export async function measureGrowth(host: BenchHost, plain: ArmHandle, plan: BenchPlan): Promise<ResultRow[]> {
  const rows: ResultRow[] = []
  for (const tables of tableCounts) rows.push(await measureTables(tables, host, plan))
  for (const statements of statementCounts) rows.push(await measureStatementCount(statements, host, plain, plan))
  return rows
}

/** Vivarium and TRUNCATE on one schema of so many tables, each with a sequence. */
function measureTables(tables: number, host: BenchHost, plan: BenchPlan): Promise<ResultRow> {
  const count = tables.toLocaleString('en-US')
  return measureRow(
    {
      id: `tables-${tables}`,
      what: `A test of two statements in a schema of ${count} tables, against TRUNCATE of all of them before it`,
      unit: 'times faster',
    },
    async () => {
      await using folder = await openTemporaryFolder('tables')
      const names = ['users', ...Array.from({ length: tables - 1 }, (_, index) => `record_${index + 1}`)]
      const schema = names.map(
        (name) => `create table ${name} (id bigserial primary key, email text unique, name text);`,
      )
      await writeFile(join(folder.path, '0001_tables.sql'), schema.join('\n'))
      const databaseUrl = await host.createDatabase(`tables_${tables}`, schema.join('\n'))
      await using vivarium = await openArm('vivarium', { serverUrl: host.serverUrl, migrations: folder.path })
      await using truncate = await openArm('truncate', {
        databaseUrl,
        truncate: `truncate ${names.join(', ')} restart identity cascade`,
      })
      return await compareArms(
        { arm: truncate, operation: 'test', count: 1, name: 'truncate' },
        { arm: vivarium, operation: 'test', count: plan.growth.tests, name: 'Vivarium' },
        plan.growth,
      )
    },
  )
}

/** One test of so many inserts, its opening and its end included. */
function measureStatementCount(
  statements: number,
  host: BenchHost,
  plain: ArmHandle,
  plan: BenchPlan,
): Promise<ResultRow> {
  const half = { operation: 'statements of one test', count: statements } as const
  const rounds = Math.max(1, Math.round(plan.growth.statements / statements))
  return measureRow(
    {
      id: `statements-${statements}`,
      what: `One test of ${statements.toLocaleString('en-US')} inserts, each statement, against the same with no isolation`,
      unit: 'times',
    },
    () =>
      compareArms(
        { ...half, arm: host.vivarium, name: 'Vivarium' },
        { ...half, arm: plain, name: 'with no isolation' },
        { rounds: Math.min(rounds, 20), warmUp: 1 },
        'µs',
      ),
  )
}
