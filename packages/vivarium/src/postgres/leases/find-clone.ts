import { quoteLiteral } from '../connection/client.ts'
import type { PostgresClient } from '../connection/client.ts'
import { lockIsHeld, lockKey, lockMatches } from '../template/advisory-lock.ts'
import { parseCloneMark } from './clone-mark.ts'
import type { CloneMark } from './clone-mark.ts'
import { clonePrefix } from './clone-name.ts'
import type { RunIdentity } from './run-identity.ts'

/** Of names without a database a few are enough: only those that are being made right now are held. */
const mostMissing = 16

/**
 * What a clone is wanted for: to be used again and again, to be used once, to be kept ready for that, and the same two
 * as a copy of another database than the template.
 */
export type CloneUse = 'reuse' | 'once' | 'ahead' | 'copy' | 'copy ahead'

type Found = CloneMark | 'left' | 'missing'

/**
 * What is taken first. What a dead process left has to be dropped before its name is of use, so that is work for when
 * nobody waits; and what one purpose has made is left to it as long as there is anything else.
 */
const preferences: Readonly<Record<CloneUse, readonly Found[]>> = {
  reuse: ['reusable', 'unused', 'missing', 'left'],
  once: ['unused', 'missing', 'left', 'reusable'],
  ahead: ['unused', 'left', 'missing'],
  copy: ['missing', 'left', 'unused', 'reusable'],
  'copy ahead': ['left', 'missing'],
}

/**
 * Locks a name of the run that nobody holds and returns it; `undefined` when there is none for this use. `ours` are the
 * names that this connection holds: its own locks would be given again.
 */
export async function lockCloneName(
  client: PostgresClient,
  identity: RunIdentity,
  { ours, use }: { ours: ReadonlySet<string>; use: CloneUse },
): Promise<string | undefined> {
  const prefix = clonePrefix(identity)
  const databases = await client.query(
    `SELECT datname AS name, pg_catalog.shobj_description(oid, 'pg_database') AS comment FROM pg_catalog.pg_database
      WHERE pg_catalog.starts_with(datname, ${quoteLiteral(prefix)})`,
  )
  const existing = new Map(databases.map((row) => [row['name'], parseCloneMark(row['comment']) ?? 'left']))
  const all = Array.from({ length: identity.maxClones }, (_, index) => `${prefix}${index + 1}`)
  const free = all.filter((name) => !ours.has(name))
  const isAhead = use === 'ahead' || use === 'copy ahead'
  // Ahead of its use nobody takes what others may need: the second half is for those who cannot wait.
  const missing = isAhead && existing.size * 2 >= identity.maxClones ? 0 : mostMissing
  const inOrder = preferences[use].flatMap((wanted) => {
    const names = free.filter((name) => (existing.get(name) ?? 'missing') === wanted)
    return wanted === 'missing' ? names.slice(0, missing) : names
  })
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
  /** Of a database that is not there none. */
  readonly mark: CloneMark | undefined
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
    `SELECT pg_catalog.shobj_description(d.oid, 'pg_database') AS comment,
            pg_catalog.pg_database_size(d.oid) AS bytes, pg_catalog.pg_backend_pid() AS backend, pg_catalog.pg_stat_get_db_numbackends(d.oid) AS connections, locks.*
       FROM (SELECT pg_catalog.bool_or(${run}) AS open, pg_catalog.bool_or(${ours}) AS ours
               FROM pg_catalog.pg_lock_status() l) locks
       LEFT JOIN pg_catalog.pg_database d ON d.datname = ${quoteLiteral(name)}`,
  )
  const row = rows[0] ?? {}
  return {
    mark: parseCloneMark(row['comment']),
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
