/**
 * The clients of the table, in its order. A new client is one entry here and one folder of this name with a
 * `script.test.ts` in it.
 */
export const clientNames = ['pg', 'postgres-js', 'drizzle-pg', 'drizzle-postgres-js', 'kysely', 'knex', 'psql'] as const

/** The name of a client: its folder, and its column in the table. */
export type ClientName = (typeof clientNames)[number]
