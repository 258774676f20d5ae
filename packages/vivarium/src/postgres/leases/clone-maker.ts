import type { PostgresClient } from '../connection/client.ts'
import { lockKey } from '../template/advisory-lock.ts'
import { openMaintenanceConnection } from '../template/maintenance-connection.ts'
import type { RunIdentity } from './run-identity.ts'

/**
 * Creates and drops databases on connections of its own, open only while there is work: the lease connection stays
 * quick, and an idle process costs the server one connection.
 */
export class CloneMaker {
  readonly #identity: RunIdentity
  readonly #unused: PostgresClient[] = []
  readonly #waiting: (() => void)[] = []
  readonly #mostConnections: number
  #working = 0

  constructor(identity: RunIdentity, mostConnections: number) {
    this.#mostConnections = mostConnections
    this.#identity = identity
  }

  /**
   * Changes the database of a name that this process holds. A process that dies frees its names at once, while the server
   * still carries out what it asked for last: whoever takes the name waits for that here.
   */
  change<T>(name: string, work: (client: PostgresClient) => Promise<T>): Promise<T> {
    const key = lockKey('clone change', name)
    return this.#run(async (client) => {
      // Awaited: what is sent before it is granted would be carried out after another's turn.
      await client.query(`SELECT pg_catalog.pg_advisory_lock(${key})`)
      try {
        return await work(client)
      } finally {
        await client.query(`SELECT pg_catalog.pg_advisory_unlock(${key})`).catch(() => undefined)
      }
    })
  }

  /** Runs `work`, in the order of the calls as far as connections are free. */
  async #run<T>(work: (client: PostgresClient) => Promise<T>): Promise<T> {
    if (this.#working < this.#mostConnections) this.#working++
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      const client = this.#unused.pop() ?? (await this.#open())
      try {
        return await work(client)
      } finally {
        if (this.#waiting.length > 0) this.#unused.push(client)
        else await client.close()
      }
    } finally {
      // A waiting call takes over this one's place.
      const next = this.#waiting.shift()
      if (next === undefined) this.#working--
      else next()
    }
  }

  #open(): Promise<PostgresClient> {
    const { maintenance, runId } = this.#identity
    return openMaintenanceConnection(maintenance, `clones ${runId}`)
  }
}
