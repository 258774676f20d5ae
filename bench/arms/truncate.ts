import { Client } from 'pg'
import { truncateAll } from '../fixture/schema.ts'
import { required, timed } from './arm.ts'
import type { ArmContext, OpenArm } from './arm.ts'
import { insertAndSelect } from './statements.ts'

/** A plain connection, and TRUNCATE of the forty tables before each test. */
export async function openTruncateArm(context: ArmContext): Promise<OpenArm> {
  const client = new Client({ connectionString: required(context, 'databaseUrl') })
  await client.connect()
  const test = async (): Promise<void> => {
    await client.query(context.truncate ?? truncateAll)
    await insertAndSelect(client)
  }
  return { measures: { test: (count) => timed(count, test) }, close: () => client.end() }
}
