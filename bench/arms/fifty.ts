import { Client, Pool } from 'pg'
import { insertAndSelect } from './statements.ts'

/** How many at once, in the rows about concurrency. */
export const manyAtOnce = 50

/** A connection of its own, the two statements of a test, and its end; fifty of them at once. */
export function fiftyClients(urlOf: (index: number) => Promise<string>): Promise<unknown> {
  return Promise.all(Array.from({ length: manyAtOnce }, async (_, index) => oneClient(await urlOf(index))))
}

/** A connection that lives as long as one test. */
export async function oneClient(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await insertAndSelect(client)
  } finally {
    await client.end()
  }
}

/** A pool of fifty connections, and fifty statements at once. */
export class FiftyQueries {
  readonly #url: string
  #pool: Pool | undefined

  constructor(url: string) {
    this.#url = url
  }

  /** Fifty selects at once, one on each connection. */
  async run(): Promise<void> {
    const pool = (this.#pool ??= new Pool({ connectionString: this.#url, max: manyAtOnce }))
    await Promise.all(
      Array.from({ length: manyAtOnce }, () =>
        pool.query('select id, name, price_cents from catalog where id = $1', [7]),
      ),
    )
  }

  async close(): Promise<void> {
    await this.#pool?.end()
  }
}
