import { now, realSetTimeout } from '../../core/clock.ts'
import { quoteLiteral } from '../connection/client.ts'
import type { PostgresClient } from '../connection/client.ts'
import { createDatabase } from '../template/create-database.ts'
import { markStatement } from './clone-mark.ts'
import type { CloneMark } from './clone-mark.ts'
import { databaseSettingsStatements } from './database-settings.ts'
import type { RunIdentity } from './run-identity.ts'

/** What to make. */
export interface MakeCloneOptions {
  readonly name: string
  readonly mark: CloneMark | undefined
  /** The database to copy. @default the run's template */
  readonly source?: string
}

/** Creates a clone. The caller holds the lock of its name. Returns whether it was not there. */
export async function makeClone(
  client: PostgresClient,
  identity: RunIdentity,
  { name, mark, source }: MakeCloneOptions,
): Promise<boolean> {
  if (source !== undefined) await waitUntilDeserted(client, source)
  const created = await createDatabase(client, {
    name,
    owner: identity.application.user,
    template: source ?? identity.templateDatabase,
    versionNumber: identity.versionNumber,
    strategy: identity.strategy,
  })
  // Whatever is there already is as it is: nobody knows what was done in it.
  if (!created) return false
  // The mark comes last: what has one is whole.
  const statements = databaseSettingsStatements(name, identity.databaseSettings)
  if (mark !== undefined) statements.push(markStatement(name, mark))
  if (statements.length > 0) await client.query(statements.join('; '))
  return true
}

const desertedDeadlineMs = 1_000

/**
 * Waits until the server has let go of connections that were closed just now. CREATE DATABASE waits for them itself, but
 * looks ten times a second only (CountOtherDBBackends in procarray.c), and it says what is wrong when somebody stays.
 */
async function waitUntilDeserted(client: PostgresClient, database: string): Promise<void> {
  const start = now()
  while ((await countConnections(client, database)) > 0 && now() - start < desertedDeadlineMs) {
    await new Promise<void>((resolve) => realSetTimeout(resolve, 2))
  }
}

async function countConnections(client: PostgresClient, database: string): Promise<number> {
  const rows = await client.query(
    `SELECT pg_catalog.pg_stat_get_db_numbackends(oid) AS connections FROM pg_catalog.pg_database WHERE datname = ${quoteLiteral(database)}`,
  )
  return Number(rows[0]?.['connections'] ?? 0)
}
