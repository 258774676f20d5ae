import { VivariumError } from '../../core/errors.ts'
import type { PostgresClient } from '../connection/client.ts'
import { describeTarget } from '../connection/target.ts'
import { openMaintenanceConnection } from '../template/maintenance-connection.ts'
import type { RunIdentity } from './run-identity.ts'

/** The one connection whose advisory locks are the leases of a pool. */
export interface LeaseConnection {
  readonly client: PostgresClient
  /** Names of clones that it holds. */
  readonly names: Set<string>
  /** Resolves when the connection was lost, and with it every lease. Never after a close of ours. */
  readonly lost: Promise<VivariumError>
  /** The same, to look at. */
  lostReason: VivariumError | undefined
}

export async function openLeaseConnection(identity: RunIdentity): Promise<LeaseConnection> {
  const client = await openMaintenanceConnection(identity.maintenance, `lease ${identity.runId}`)
  const connection: LeaseConnection = {
    client,
    names: new Set(),
    lostReason: undefined,
    lost: new Promise((resolve) => {
      void client.closed.then((reason) => {
        if (reason === undefined) return
        const error = leaseLost(identity, reason)
        connection.lostReason = error
        connection.names.clear()
        resolve(error)
      })
    }),
  }
  return connection
}

function leaseLost(identity: RunIdentity, reason: Error): VivariumError {
  return new VivariumError('LEASE_LOST', {
    what: `The connection that holds this process's databases (run ${identity.runId}) was lost.`,
    seen: `${reason.message}, on ${describeTarget(identity.maintenance)}`,
    remedy:
      'See why the server ended it (its log names the backend "vivarium lease …"). Another process may take the databases now.',
    cause: reason,
  })
}
