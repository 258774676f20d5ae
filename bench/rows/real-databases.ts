import type { BenchHost } from '../host.ts'
import { openArm } from '../process/arm-handle.ts'
import type { ArmHandle } from '../process/arm-handle.ts'
import type { ResultRow } from '../results.ts'
import { compareArms } from './compare.ts'
import type { Compared } from './compare.ts'
import type { BenchPlan } from './plan.ts'
import { measureRow } from './row.ts'
import type { RowHead } from './row.ts'

const what = 'The same test in isolation `database`: a database of its own, real commits'

/** What a test costs that gets a whole database, against what people do by hand. */
export async function measureRealDatabases(host: BenchHost, _plain: ArmHandle, plan: BenchPlan): Promise<ResultRow[]> {
  const context = { serverUrl: host.serverUrl, templateDatabase: host.templateDatabase }
  await using truncate = await openArm('truncate', { databaseUrl: await host.createDatabase('truncate_by_hand') })
  await using clone = await openArm('template clone', context)
  const inDatabase = (count: number): Compared => {
    return { arm: host.vivarium, operation: 'test in a database', count, name: 'isolation database' }
  }
  const against = (head: RowHead, other: Compared, count: number): Promise<ResultRow> =>
    measureRow(head, () => compareArms(other, inDatabase(count), plan.realDatabases))
  const { few, many } = plan.realDatabases
  return [
    await against(
      {
        id: 'database-against-template-clone',
        what: `${what}, from the warm pool, against a template clone by hand`,
        unit: 'times faster',
        note: `${few} tests and then a pause, in which the databases for the next ones are made: tests that do more than two statements leave that time.`,
      },
      { arm: clone, operation: 'test', count: 1, name: 'template clone' },
      few,
    ),
    await against(
      {
        id: 'database-against-truncate',
        what: `${what}, from the warm pool, against TRUNCATE of 40 tables`,
        unit: 'times faster',
      },
      { arm: truncate, operation: 'test', count: 1, name: 'truncate' },
      few,
    ),
    await against(
      {
        id: 'database-back-to-back',
        what: `${what}, ${many} tests back to back, against template clones by hand`,
        unit: 'times faster',
        note: 'Nothing but two statements between two databases: the pool runs dry, and the server’s cloning is what is measured.',
      },
      { arm: clone, operation: 'test', count: many, name: 'template clone' },
      many,
    ),
    await against(
      {
        id: 'database-against-transaction',
        what: `${what}, from the warm pool, against isolation \`transaction\``,
        unit: 'times faster',
      },
      { arm: host.vivarium, operation: 'test', count: 50, name: 'isolation transaction' },
      few,
    ),
  ]
}
