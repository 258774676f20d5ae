import { realSetTimeout, now, withDeadline } from '../../core/clock.ts'
import { openPostgresClient, quoteIdentifier } from '../connection/client.ts'
import type { PostgresClient } from '../connection/client.ts'
import { PostgresServerError } from '../connection/server-error.ts'
import type { PostgresServer } from '../server/postgres-server.ts'
import { discardBuilding } from './building-databases.ts'
import { terminateConnections } from './database-activity.ts'
import { timedOut } from './migration-errors.ts'
import { readTemplateNote, writeTemplateNote } from './template-note.ts'
import type { TemplateNote } from './template-note.ts'

export interface PublishTemplateOptions {
  building: string
  database: string
  deadlineMs: number
}

/**
 * Makes a migrated database the template: analysed, closed to connections, and only then under its name.
 *
 * @returns `false` when another process was first (one that looks at the locks of another maintenance database).
 */
export async function publishTemplate(
  client: PostgresClient,
  server: PostgresServer,
  { building, database, deadlineMs }: PublishTemplateOptions,
): Promise<boolean> {
  // What a tool left connected goes first: it may hold locks that ANALYZE would wait for.
  await terminateConnections(client, building)
  const note = await withDeadline(analyze(server, building), deadlineMs, () =>
    timedOut('ANALYZE of the migrated database', deadlineMs, `database ${building}`),
  )
  await leaveCatalogueCache(server, building)
  const name = quoteIdentifier(building)
  await client.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS false`)
  await terminateConnections(client, building)
  await writeTemplateNote(client, building, note)
  // Else only its owner could copy it.
  await client.query(`ALTER DATABASE ${name} IS_TEMPLATE true`)
  const start = now()
  for (;;) {
    try {
      await client.query(`ALTER DATABASE ${name} RENAME TO ${quoteIdentifier(database)}`)
      return true
    } catch (error) {
      if (!(error instanceof PostgresServerError)) throw error
      if (error.code === '42P04') {
        await discardBuilding(client, building)
        return false
      }
      // An extension's worker or autovacuum is in it for a moment.
      if (error.code !== '55006' || now() - start > 10_000) throw error
      await new Promise<void>((resolve) => realSetTimeout(resolve, 50))
    }
  }
}

/**
 * The first connection to a database reads the catalogue's descriptions and leaves them in a file for the next ones
 * (`pg_internal.init`; relcache.c). Copies of the template have the file too, and half the work of their first connection.
 */
async function leaveCatalogueCache(server: PostgresServer, building: string): Promise<void> {
  const client = await openPostgresClient({ ...server.maintenance, database: building })
  await client.close()
}

async function analyze(server: PostgresServer, building: string): Promise<TemplateNote> {
  const client = await openPostgresClient({ ...server.maintenance, database: building })
  try {
    await client.query('ANALYZE')
    return await readTemplateNote(client)
  } finally {
    await client.close()
  }
}
