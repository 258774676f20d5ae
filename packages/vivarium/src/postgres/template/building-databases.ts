import { quoteIdentifier } from '../connection/client.ts'
import type { PostgresClient } from '../connection/client.ts'
import { lockIsHeld, lockKey, lockKeyOf } from './advisory-lock.ts'
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
  const hash = `pg_catalog.substring(d.datname::text from '${buildingPattern}')`
  const key = lockKeyOf('template', hash)
  const rows = await client.query(
    `SELECT d.datname AS name, ${hash} AS hash FROM pg_catalog.pg_database d
      WHERE d.datname ~ '${buildingPattern}' AND pg_catalog.pg_has_role(d.datdba, 'MEMBER')
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.datname = d.datname)
        AND (NOT ${lockIsHeld(key)} OR ${heldByUs(key)})`,
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

function heldByUs(key: string): string {
  return `EXISTS (SELECT FROM pg_catalog.pg_locks ours WHERE ours.pid = pg_catalog.pg_backend_pid()
    AND ours.locktype = 'advisory' AND ours.objsubid = 1
    AND ((ours.classid::pg_catalog.int8 << 32) | ours.objid::pg_catalog.int8) = ${key})`
}
