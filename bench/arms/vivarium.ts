import { Client } from 'pg'
import { openVivarium } from 'vivarium'
import { migrationsFolder } from '../fixture/schema.ts'
import { timed } from './arm.ts'
import type { ArmContext, OpenArm } from './arm.ts'
import { DriverClients } from './drivers.ts'
import { FiftyQueries, manyAtOnce, oneClient } from './fifty.ts'
import { clientMeasures, insertAndSelect, insertMany, statementMeasures } from './statements.ts'

/**
 * Vivarium: one sandbox per test, and one client on the stable URL that lives as long as the process, as an
 * application's pool does. Without a server in the context it starts the embedded one.
 */
export async function openVivariumArm(context: ArmContext): Promise<OpenArm> {
  const { serverUrl, migrations = migrationsFolder } = context
  const vivarium = await openVivarium({
    postgres: { migrations, ...(serverUrl === undefined ? {} : { url: serverUrl }) },
  })
  const { url } = vivarium.postgres
  const client = new Client({ connectionString: url })
  const clients = new DriverClients(url)
  const fifty = new FiftyQueries(url)
  const first = await vivarium.openSandbox()
  await client.connect()
  await first.close()
  const inSandbox = async (isolation: 'transaction' | 'database', run: () => Promise<unknown>): Promise<void> => {
    const sandbox = await vivarium.openSandbox({ isolation })
    await run()
    await sandbox.close()
  }
  const inOneSandbox = async (run: () => Promise<number>): Promise<number> => {
    const sandbox = await vivarium.openSandbox()
    // The transaction travels with the first statement, and that is not what is measured here.
    await client.query('select 1')
    const ms = await run()
    await sandbox.close()
    return ms
  }
  const concurrentTest = async (): Promise<void> => {
    const sandbox = await vivarium.openSandbox({ concurrent: true })
    await oneClient(sandbox.postgres.url)
    await sandbox.close()
  }
  const fiftyTests = (): Promise<unknown> => Promise.all(Array.from({ length: manyAtOnce }, concurrentTest))
  const test = (): Promise<void> => inSandbox('transaction', () => insertAndSelect(client))
  const testInDatabase = (): Promise<void> => inSandbox('database', () => insertAndSelect(client))
  return {
    measures: {
      ...statementMeasures(client, inOneSandbox),
      ...clientMeasures(clients, fifty, inOneSandbox),
      test: (count) => timed(count, test),
      'test in a database': (count) => timed(count, testInDatabase),
      'fifty tests': (count) => timed(count, fiftyTests),
      'statements of one test': (count) => timed(1, () => inSandbox('transaction', () => insertMany(client, count))),
    },
    serverUrl: vivarium.postgres.serverUrl,
    close: async () => {
      await Promise.all([clients.close(), fifty.close(), client.end()])
      await vivarium.close()
    },
  }
}
