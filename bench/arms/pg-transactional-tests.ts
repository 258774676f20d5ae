import { Client } from 'pg'
import { testTransaction } from 'pg-transactional-tests'
import { required, timed } from './arm.ts'
import type { ArmContext, OpenArm } from './arm.ts'
import { insertAndSelect } from './statements.ts'

/** pg-transactional-tests: `pg` patched in the test's process, one rolled-back transaction per test. */
export async function openPgTransactionalTestsArm(context: ArmContext): Promise<OpenArm> {
  // As its README sets it up: once for the file, once for each test.
  testTransaction.start()
  const client = new Client({ connectionString: required(context, 'databaseUrl') })
  await client.connect()
  const test = async (): Promise<void> => {
    testTransaction.start()
    await insertAndSelect(client)
    await testTransaction.rollback()
  }
  return { measures: { test: (count) => timed(count, test) }, close: () => testTransaction.close() }
}
