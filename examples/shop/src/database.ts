import type { NodePgDatabase, NodePgQueryResultHKT } from 'drizzle-orm/node-postgres'
import type { PgDatabase } from 'drizzle-orm/pg-core'

/** The shop's database, behind its connection pool. */
export type Database = NodePgDatabase

/** One open transaction: everything that must stand or fall together is given this, never the pool. */
export type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0]

/** Where a query can run: on the pool, or within a transaction. */
export type Queryable = PgDatabase<NodePgQueryResultHKT>
