import { openPostgresClient } from '../connection/client.ts'
import type { PostgresClient } from '../connection/client.ts'
import type { RunIdentity } from './run-identity.ts'

/** Copies made side by side share the server's checkpoints: four took 60 % of the time of one after the other. */
const mostConnections = 4

/**
 * Creates and drops databases on connections of its own, open only while there is work: the lease connection stays
 * quick, and an idle process costs the server one connection.
 */
export class CloneMaker {
  readonly #identity: RunIdentity
  readonly #unused: PostgresClient[] = []
  readonly #waiting: (() => void)[] = []
  #working = 0

  constructor(identity: RunIdentity) {
    this.#identity = identity
  }

  /** Runs `work`, in the order of the calls as far as connections are free. */
  async run<T>(work: (client: PostgresClient) => Promise<T>): Promise<T> {
    if (this.#working < mostConnections) this.#working++
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
    const parameters = { ...maintenance.parameters, application_name: `vivarium clones ${runId}` }
    return openPostgresClient({ ...maintenance, parameters })
  }
}
