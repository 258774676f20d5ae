import { startEmbeddedServer } from '../../src/postgres/server/embedded-server.ts'
import { connectExternalServer } from '../../src/postgres/server/external-server.ts'
import type { PostgresServer } from '../../src/postgres/server/postgres-server.ts'
import { openPostgresClient } from '../../src/postgres/connection/client.ts'
import type { QueryRow } from '../../src/postgres/connection/client.ts'

/** An embedded server of its own that keeps no image: the developer's cache is not the tests' to fill. */
export async function startScratchServer(): Promise<PostgresServer> {
  const server = await startEmbeddedServer()
  const close = (): Promise<void> => server.close()
  return {
    kind: server.kind,
    versionNumber: server.versionNumber,
    maintenance: server.maintenance,
    application: (database) => server.application(database),
    applicationUrl: (database) => server.applicationUrl(database),
    saveImage: () => Promise.resolve(),
    close,
    [Symbol.asyncDispose]: close,
  }
}

export function connectTestServer(url: string): Promise<PostgresServer> {
  return connectExternalServer(url)
}

/** Runs statements on a database of a server, by default as maintenance role on the maintenance database. */
export async function runOn(
  server: PostgresServer,
  statements: string,
  database: string = server.maintenance.database,
): Promise<QueryRow[]> {
  const client = await openPostgresClient({ ...server.maintenance, database })
  try {
    return await client.query(statements)
  } finally {
    await client.close()
  }
}

/** Names of databases that begin so. */
export async function listDatabases(server: PostgresServer, prefix: string): Promise<string[]> {
  const rows = await runOn(server, `SELECT datname FROM pg_database WHERE starts_with(datname, '${prefix}') ORDER BY 1`)
  return rows.map((row) => row['datname'] ?? '')
}

/** Drops a template that a test built. */
export async function dropTemplate(server: PostgresServer, database: string): Promise<void> {
  if ((await listDatabases(server, database)).length === 0) return
  await runOn(server, `ALTER DATABASE "${database}" IS_TEMPLATE false`)
  await runOn(server, `DROP DATABASE "${database}" WITH (FORCE)`)
}
