import { openPostgresClient } from '../connection/client.ts'
import type { PostgresClient } from '../connection/client.ts'
import type { RunIdentity } from './run-identity.ts'

/**
 * Creates and drops databases one after the other on a connection of its own, open only while there is work: the
 * lease connection stays quick, and an idle process costs the server one connection.
 */
export class CloneMaker {
  readonly #identity: RunIdentity
  #client: Promise<PostgresClient> | undefined
  #tail: Promise<unknown> = Promise.resolve()
  #pending = 0

  constructor(identity: RunIdentity) {
    this.#identity = identity
  }

  /** Runs `work` when everything asked for before has ended. */
  run<T>(work: (client: PostgresClient) => Promise<T>): Promise<T> {
    this.#pending++
    const result = this.#tail.then(async () => {
      try {
        return await work(await this.#open())
      } finally {
        this.#pending--
        if (this.#pending === 0) await this.#close()
      }
    })
    this.#tail = result.catch(() => undefined)
    return result
  }

  #open(): Promise<PostgresClient> {
    const { maintenance, runId } = this.#identity
    const parameters = { ...maintenance.parameters, application_name: `vivarium clones ${runId}` }
    this.#client ??= openPostgresClient({ ...maintenance, parameters })
    return this.#client
  }

  async #close(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    await client?.then(
      (opened) => opened.close(),
      () => undefined,
    )
  }
}
