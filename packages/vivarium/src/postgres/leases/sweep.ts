import type { PostgresClient } from '../connection/client.ts'
import { lockIsHeld, lockKey, lockKeyOf } from '../template/advisory-lock.ts'
import { sweepBuildings } from '../template/building-databases.ts'
import { dropDatabase } from '../template/create-database.ts'
import { clonePattern } from './clone-name.ts'
import { unlockClone } from './find-clone.ts'

/**
 * Drops what dead runs left: clones whose run lock and lease lock nobody holds, half-built templates. Only names of our
 * own form, and only databases of a role that we are.
 *
 * @returns the clones that were dropped.
 */
export async function sweepDeadRuns(client: PostgresClient, isCancelled: () => boolean): Promise<string[]> {
  // A run takes its lock before its first clone exists and a run's name is never used again: once free, it is dead.
  const run = lockKeyOf('run', `pg_catalog.substring(d.datname::text, '${clonePattern}')`)
  const rows = await client.query(
    `SELECT d.datname AS name FROM pg_catalog.pg_database d
      WHERE d.datname ~ '${clonePattern}' AND pg_catalog.pg_has_role(d.datdba, 'MEMBER')
        AND NOT ${lockIsHeld(run)} AND NOT ${lockIsHeld(lockKeyOf('clone', 'd.datname::text'))}
      ORDER BY 1`,
  )
  const dropped: string[] = []
  for (const { name } of rows) {
    if (isCancelled()) return dropped
    if (name === undefined || name === null) continue
    const locked = await client.query(`SELECT pg_catalog.pg_try_advisory_lock(${lockKey('clone', name)}) AS locked`)
    if (locked[0]?.['locked'] !== 't') continue
    try {
      await dropDatabase(client, name)
      dropped.push(name)
    } catch {
      // Held by something that we may not end, or dropped by another sweep: the next run looks again.
    }
    await unlockClone(client, name)
  }
  if (!isCancelled()) await sweepBuildings(client)
  return dropped
}
