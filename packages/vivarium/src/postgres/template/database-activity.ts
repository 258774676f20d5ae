import { quoteLiteral } from '../connection/client.ts'
import type { PostgresClient } from '../connection/client.ts'

/** What the connections to a database do, one line each, for an error's text. */
export async function describeActivity(maintenance: PostgresClient, database: string): Promise<string> {
  const rows = await maintenance.query(
    `SELECT pid, application_name, state, wait_event_type, wait_event, pg_catalog.left(query, 300) AS query,
            pg_catalog.array_to_string(pg_catalog.pg_blocking_pids(pid), ', ') AS blockers
       FROM pg_catalog.pg_stat_activity
      WHERE datname = ${quoteLiteral(database)} AND backend_type = 'client backend' ORDER BY pid`,
  )
  if (rows.length === 0) return 'nothing was connected to the database'
  const lines = rows.map((row) => {
    const waits = row['wait_event'] === null ? '' : `, waits for ${row['wait_event_type']} ${row['wait_event']}`
    const blockers = row['blockers'] ? `, blocked by backend ${row['blockers']}` : ''
    return `backend ${row['pid']} ${row['application_name']} (${row['state']}${waits}${blockers}): ${row['query']}`
  })
  return lines.join('\n  ')
}

/**
 * Ends every client connection to a database, ours excepted, and waits until the backends are gone.
 *
 * @returns how many there were.
 */
export async function terminateConnections(maintenance: PostgresClient, database: string): Promise<number> {
  const rows = await maintenance.query(
    `SELECT pg_catalog.pg_terminate_backend(pid, 5000) FROM pg_catalog.pg_stat_activity
      WHERE datname = ${quoteLiteral(database)} AND backend_type = 'client backend' AND pid <> pg_catalog.pg_backend_pid()`,
  )
  return rows.length
}
