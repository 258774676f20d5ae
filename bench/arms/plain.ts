import { Client } from 'pg'
import { required, timed } from './arm.ts'
import type { ArmContext, OpenArm } from './arm.ts'
import { DriverClients } from './drivers.ts'
import { fiftyClients, FiftyQueries } from './fifty.ts'
import { clientMeasures, insertAndSelect, insertMany, statementMeasures } from './statements.ts'

/** A plain connection, and no isolation at all: the reference that everything is compared with. */
export async function openPlainArm(context: ArmContext): Promise<OpenArm> {
  const url = required(context, 'databaseUrl')
  const client = new Client({ connectionString: url })
  const clients = new DriverClients(url)
  const fifty = new FiftyQueries(url)
  await client.connect()
  return {
    measures: {
      ...statementMeasures(client),
      ...clientMeasures(clients, fifty),
      test: (count) => timed(count, () => insertAndSelect(client)),
      'fifty tests': (count) => timed(count, () => fiftyClients(() => Promise.resolve(url))),
      'statements of one test': (count) => timed(1, () => insertMany(client, count)),
    },
    close: async () => {
      await Promise.all([clients.close(), fifty.close(), client.end()])
    },
  }
}
