import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import type { NodePgDatabase, NodePgQueryResultHKT } from 'drizzle-orm/node-postgres'
import type { PgDatabase } from 'drizzle-orm/pg-core'
import type { Pool, PoolClient } from 'pg'

/** The shop's database, behind its connection pool. */
export type Database = NodePgDatabase & { readonly $client: Pool }

/** One open transaction: everything that must stand or fall together is given this, never the pool. */
export type Transaction = NodePgDatabase & { readonly $client: PoolClient }

/** Where a query can run: on the pool, or within a transaction. */
export type Queryable = PgDatabase<NodePgQueryResultHKT>

/**
 * Runs `work` in a transaction, which is rolled back when it fails; the failure is thrown on. Drizzle's own `transaction` keeps the
 * connection for ever when BEGIN fails, and throws the failure of ROLLBACK, which says nothing, in place of what went wrong.
 */
export async function inTransaction<T>(database: Database, work: (tx: Transaction) => Promise<T>): Promise<T> {
  const client = await database.$client.connect()
  const tx = drizzle(client)
  try {
    await tx.execute(sql`begin`)
    const result = await work(tx)
    await tx.execute(sql`commit`)
    client.release()
    return result
  } catch (failure) {
    // A connection that cannot be rolled back is not given to anybody else.
    await tx.execute(sql`rollback`).then(
      () => client.release(),
      () => client.release(true),
    )
    throw failure
  }
}
