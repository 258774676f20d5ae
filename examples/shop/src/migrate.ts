import { readdir, readFile } from 'node:fs/promises'
import { Client } from 'pg'

const folder = new URL('../migrations/', import.meta.url)
/** Of an advisory lock: any number that nobody else takes in this database. */
const lock = 7_083_701

/**
 * Applies the migrations that the database does not have, all of them or none; returns their names. Instances that start at the
 * same moment wait for each other.
 */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await client.query('begin')
    await client.query('select pg_advisory_xact_lock($1)', [lock])
    await client.query(
      'create table if not exists schema_migrations (name text primary key, applied_at timestamptz not null default now())',
    )
    const { rows } = await client.query<{ name: string }>('select name from schema_migrations')
    const applied = new Set(rows.map(({ name }) => name))
    const missing = files.filter((name) => !applied.has(name))
    for (const name of missing) {
      await client.query(await readFile(new URL(name, folder), 'utf8'))
      await client.query('insert into schema_migrations (name) values ($1)', [name])
    }
    await client.query('commit')
    return missing
  } finally {
    // Ends the transaction as well, where it has not been committed.
    await client.end()
  }
}
