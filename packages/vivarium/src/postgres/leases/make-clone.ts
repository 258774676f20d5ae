import type { PostgresClient } from '../connection/client.ts'
import { createDatabase } from '../template/create-database.ts'
import { applyDatabaseSettings } from './database-settings.ts'
import type { RunIdentity } from './run-identity.ts'

/** Creates a clone of the run's template. The caller holds the lock of its name. Returns whether it was not there. */
export async function makeClone(client: PostgresClient, identity: RunIdentity, name: string): Promise<boolean> {
  const created = await createDatabase(client, {
    name,
    owner: identity.application.user,
    template: identity.templateDatabase,
    versionNumber: identity.versionNumber,
  })
  await applyDatabaseSettings(client, name, identity.databaseSettings)
  return created
}
