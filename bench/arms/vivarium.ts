import { Client } from 'pg'
import { openVivarium } from 'vivarium'
import { migrationsFolder } from '../fixture/schema.ts'
import { timed } from './arm.ts'
import type { ArmContext, OpenArm } from './arm.ts'
import { insertAndSelect, statementMeasures } from './statements.ts'

/**
 * Vivarium: one sandbox per test, and one client on the stable URL that lives as long as the process, as an
 * application's pool does. Without a server in the context it starts the embedded one.
 */
export async function openVivariumArm(context: ArmContext): Promise<OpenArm> {
  const vivarium = await openVivarium({
    postgres: { migrations: migrationsFolder, ...(context.serverUrl === undefined ? {} : { url: context.serverUrl }) },
  })
  const client = new Client({ connectionString: vivarium.postgres.url })
  const first = await vivarium.openSandbox()
  await client.connect()
  await first.close()
  const test = async (): Promise<void> => {
    const sandbox = await vivarium.openSandbox()
    await insertAndSelect(client)
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
  return {
    measures: { ...statementMeasures(client, inOneSandbox), test: (count) => timed(count, test) },
    serverUrl: vivarium.postgres.serverUrl,
    close: async () => {
      await client.end()
      await vivarium.close()
    },
  }
}
