import { quoteLiteral } from '../connection/client.ts'
import type { PostgresClient } from '../connection/client.ts'
import { lockIsHeld, lockKey, lockKeyOf, lockMatches } from '../template/advisory-lock.ts'
import { clonePrefix } from './clone-name.ts'
import type { RunIdentity } from './run-identity.ts'

/**
 * Locks the first name of the run that nobody holds, existing clones first, and returns it; `undefined` when all
 * `maxClones` names are held. `ours` are the names that this connection holds: its own locks would be given again.
 */
export async function lockCloneName(
  client: PostgresClient,
  identity: RunIdentity,
  ours: ReadonlySet<string>,
): Promise<string | undefined> {
  const prefix = quoteLiteral(clonePrefix(identity))
  const excluded = ours.size === 0 ? '' : `WHERE name NOT IN (${[...ours].map(quoteLiteral).join(', ')})`
  // One name per step, and no step after the first success: a WHERE with LIMIT may lock more than it returns
  // (PostgreSQL documentation, 13.3.5).
  const rows = await client.query(
    `WITH RECURSIVE candidate AS MATERIALIZED (
       SELECT name, pg_catalog.row_number() OVER (ORDER BY d.oid IS NULL, number) AS place
         FROM (SELECT number, ${prefix} || number AS name FROM pg_catalog.generate_series(1, ${identity.maxClones}) number) names
         LEFT JOIN pg_catalog.pg_database d ON d.datname = name ${excluded}
     ), attempt (place, name, locked) AS (
       SELECT 0::pg_catalog.int8, NULL::pg_catalog.text, false
       UNION ALL
       SELECT c.place, c.name, pg_catalog.pg_try_advisory_lock(${lockKeyOf('clone', 'c.name')})
         FROM attempt a JOIN candidate c ON c.place = a.place + 1 WHERE NOT a.locked
     )
     SELECT name FROM attempt WHERE locked`,
  )
  return rows[0]?.['name'] ?? undefined
}

/** What is known of a clone whose name we hold. */
export interface CloneState {
  readonly exists: boolean
  readonly bytes: number
  /** Client connections to it. */
  readonly connections: number
  /** Whether the run's host still lives. */
  readonly runIsOpen: boolean
  /** Whether the lock is held by the very backend that answers, and its process id. */
  readonly isLockOurs: boolean
  readonly backend: string | null | undefined
}

/** Looks at a clone after its name was locked, so that nobody changes what is seen. */
export async function readCloneState(client: PostgresClient, identity: RunIdentity, name: string): Promise<CloneState> {
  const rows = await client.query(
    `SELECT d.oid IS NOT NULL AS exists, pg_catalog.pg_database_size(d.oid) AS bytes, pg_catalog.pg_backend_pid() AS backend,
            (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a
              WHERE a.datid = d.oid AND a.backend_type = 'client backend') AS connections,
            ${lockIsHeld(lockKey('run', identity.runId))} AS open,
            EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.pid = pg_catalog.pg_backend_pid()
                       AND ${lockMatches('l', lockKey('clone', name))}) AS ours
       FROM (SELECT) one LEFT JOIN pg_catalog.pg_database d ON d.datname = ${quoteLiteral(name)}`,
  )
  const row = rows[0] ?? {}
  return {
    exists: row['exists'] === 't',
    bytes: Number(row['bytes'] ?? 0),
    connections: Number(row['connections'] ?? 0),
    runIsOpen: row['open'] === 't',
    isLockOurs: row['ours'] === 't',
    backend: row['backend'],
  }
}

export async function isRunOpen(client: PostgresClient, identity: RunIdentity): Promise<boolean> {
  const rows = await client.query(`SELECT ${lockIsHeld(lockKey('run', identity.runId))} AS open`)
  return rows[0]?.['open'] === 't'
}

export async function unlockClone(client: PostgresClient, name: string): Promise<void> {
  await client.query(`SELECT pg_catalog.pg_advisory_unlock(${lockKey('clone', name)})`)
}
