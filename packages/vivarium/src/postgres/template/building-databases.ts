import { quoteIdentifier } from '../connection/client.ts'
import type { PostgresClient } from '../connection/client.ts'
import { lockIsHeldElsewhere, lockKey, lockKeyOf } from './advisory-lock.ts'
import { dropDatabase } from './create-database.ts'
import { buildingPattern } from './database-names.ts'

/** Drops a half-built template; one that cannot be dropped now is found by the next sweep. */
export async function discardBuilding(client: PostgresClient, building: string): Promise<void> {
  try {
    const rows = await client.query(
      `SELECT FROM pg_catalog.pg_database WHERE datistemplate AND datname = '${building}'`,
    )
    if (rows.length > 0) await client.query(`ALTER DATABASE ${quoteIdentifier(building)} IS_TEMPLATE false`)
    await dropDatabase(client, building)
  } catch {
    // What failed before is what the caller has to report.
  }
}

/** Drops what builders left that died: half-built templates whose lock nobody else holds. */
export async function sweepBuildings(client: PostgresClient): Promise<void> {
  const hash = `pg_catalog.substring(d.datname::text, '${buildingPattern}')`
  const key = lockKeyOf('template', hash)
  const rows = await client.query(
    `SELECT d.datname AS name, ${hash} AS hash FROM pg_catalog.pg_database d
      WHERE d.datname ~ '${buildingPattern}' AND pg_catalog.pg_has_role(d.datdba, 'MEMBER')
        AND NOT ${lockIsHeldElsewhere(key)}`,
  )
  for (const { name, hash: held } of rows) {
    if (name === undefined || name === null) continue
    const lock = lockKey('template', held ?? '')
    const locked = await client.query(`SELECT pg_catalog.pg_try_advisory_lock(${lock}) AS locked`)
    if (locked[0]?.['locked'] !== 't') continue
    await discardBuilding(client, name)
    await client.query(`SELECT pg_catalog.pg_advisory_unlock(${lock})`)
  }
}
