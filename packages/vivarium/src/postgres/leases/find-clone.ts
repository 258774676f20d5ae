import { quoteLiteral } from '../connection/client.ts'
import type { PostgresClient } from '../connection/client.ts'
import { lockIsHeld, lockKey, lockMatches } from '../template/advisory-lock.ts'
import { clonePrefix } from './clone-name.ts'
import type { RunIdentity } from './run-identity.ts'

/** Of names without a database a few are enough: only those that are being made right now are held. */
const mostMissing = 16

/**
 * Locks the first name of the run that nobody holds, existing clones first, and returns it; `undefined` when all
 * `maxClones` names are held. `ours` are the names that this connection holds: its own locks would be given again.
 */
export async function lockCloneName(
  client: PostgresClient,
  identity: RunIdentity,
  ours: ReadonlySet<string>,
): Promise<string | undefined> {
  const prefix = clonePrefix(identity)
  const databases = await client.query(
    `SELECT datname AS name FROM pg_catalog.pg_database WHERE pg_catalog.starts_with(datname, ${quoteLiteral(prefix)})`,
  )
  const existing = new Set(databases.map((row) => row['name'] ?? ''))
  const all = Array.from({ length: identity.maxClones }, (_, index) => `${prefix}${index + 1}`)
  const free = all.filter((name) => !ours.has(name))
  const missing = free.filter((name) => !existing.has(name)).slice(0, mostMissing)
  const inOrder = [...free.filter((name) => existing.has(name)), ...missing]
  if (inOrder.length === 0) return undefined
  // CASE tries one after the other and none behind the first success; a WHERE with LIMIT may lock more than it returns
  // (PostgreSQL documentation, 4.2.14 and 13.3.5).
  const attempts = inOrder.map(
    (name) => `WHEN pg_catalog.pg_try_advisory_lock(${lockKey('clone', name)}) THEN ${quoteLiteral(name)}`,
  )
  const rows = await client.query(`SELECT CASE ${attempts.join(' ')} END AS name`)
  return rows[0]?.['name'] ?? undefined
}

/** What is known of a clone whose name we hold. */
export interface CloneState {
  readonly exists: boolean
  readonly bytes: number
  /** Backends in it. */
  readonly connections: number
  /** Whether the run's host still lives. */
  readonly runIsOpen: boolean
  /** Whether the lock is held by the very backend that answers, and its process id. */
  readonly isLockOurs: boolean
  readonly backend: string | null | undefined
}

/** Looks at a clone after its name was locked, so that nobody changes what is seen. */
export async function readCloneState(client: PostgresClient, identity: RunIdentity, name: string): Promise<CloneState> {
  const run = lockMatches('l', lockKey('run', identity.runId))
  const ours = `l.pid = pg_catalog.pg_backend_pid() AND ${lockMatches('l', lockKey('clone', name))}`
  const rows = await client.query(
    `SELECT d.oid IS NOT NULL AS exists, pg_catalog.pg_database_size(d.oid) AS bytes, pg_catalog.pg_backend_pid() AS backend,
            pg_catalog.pg_stat_get_db_numbackends(d.oid) AS connections, locks.*
       FROM (SELECT pg_catalog.bool_or(${run}) AS open, pg_catalog.bool_or(${ours}) AS ours
               FROM pg_catalog.pg_lock_status() l) locks
       LEFT JOIN pg_catalog.pg_database d ON d.datname = ${quoteLiteral(name)}`,
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
