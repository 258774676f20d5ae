import { Client } from 'pg'
import { required, timed } from './arm.ts'
import type { ArmContext, OpenArm } from './arm.ts'
import { insertAndSelect, statementMeasures } from './statements.ts'

/** A plain connection, and no isolation at all: the reference that everything is compared with. */
export async function openPlainArm(context: ArmContext): Promise<OpenArm> {
  const client = new Client({ connectionString: required(context, 'databaseUrl') })
  await client.connect()
  return {
    measures: {
      ...statementMeasures(client),
      test: (count) => timed(count, () => insertAndSelect(client)),
    },
    close: () => client.end(),
  }
}
