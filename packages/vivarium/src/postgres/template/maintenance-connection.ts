import { VivariumError } from '../../core/errors.ts'
import { openPostgresClient } from '../connection/client.ts'
import type { PostgresClient } from '../connection/client.ts'
import { whileServerIsFull } from '../connection/connection-budget.ts'
import { PostgresServerError } from '../connection/server-error.ts'
import { describeTarget } from '../connection/target.ts'
import type { ConnectionTarget } from '../connection/target.ts'

/** How long a server that accepts no more connections is waited for. */
const fullDeadlineMs = 10_000

/**
 * Opens a connection that may hold advisory locks: it has no time-outs, the server notices when we are gone, and it
 * reaches one backend for as long as it lives.
 *
 * @throws VivariumError CONNECTION_LIMIT when the server stays full, SERVER_POOLED behind a pooler, which would hand our locks to others.
 */
export async function openMaintenanceConnection(target: ConnectionTarget, purpose: string): Promise<PostgresClient> {
  const parameters = {
    ...target.parameters,
    application_name: `vivarium ${purpose}`.slice(0, 63),
    statement_timeout: '0',
    lock_timeout: '0',
    idle_session_timeout: '0',
    idle_in_transaction_session_timeout: '0',
    tcp_keepalives_idle: '30',
    tcp_keepalives_interval: '10',
    tcp_keepalives_count: '3',
  }
  const options = { title: `Vivarium's own work (${purpose})`, deadlineMs: fullDeadlineMs }
  return whileServerIsFull(() => openPostgresClient({ ...target, parameters }), options).catch((error: unknown) => {
    // PgBouncer takes only the start-up parameters it knows.
    if (error instanceof PostgresServerError && error.fields.message.includes('unsupported startup parameter')) {
      throw poolerRefused(target, error.fields.message, error)
    }
    throw error
  })
}

/** Checks that the process that answers is the one that the login named. `seen` is what the server calls itself. */
export function requireOwnBackend(
  client: PostgresClient,
  target: ConnectionTarget,
  seen: string | null | undefined,
): void {
  if (seen === String(client.processId)) return
  void client.close()
  throw poolerRefused(target, `the login named backend ${client.processId}, and ${seen ?? 'none'} answered`)
}

export function poolerRefused(target: ConnectionTarget, seen: string, cause?: unknown): VivariumError {
  return new VivariumError('SERVER_POOLED', {
    what: `The connection to ${describeTarget(target)} goes through a pooler, which cannot hold locks for Vivarium.`,
    seen,
    remedy: 'Give the URL of the PostgreSQL server itself, e.g. port 5432 in place of 6432.',
    cause,
  })
}
