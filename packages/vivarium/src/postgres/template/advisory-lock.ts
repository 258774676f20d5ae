import { quoteLiteral } from '../connection/client.ts'

/**
 * What an advisory lock of the maintenance database stands for: the build of a template, the use of a template by a
 * run, a run, the hold of a clone, a change to its database.
 */
export type LockKind = 'template' | 'template use' | 'run' | 'clone' | 'clone change'

/** The SQL expression of the key of a lock, by name. */
export function lockKey(kind: LockKind, name: string): string {
  return lockKeyOf(kind, quoteLiteral(name))
}

/**
 * The same, where the name is itself an SQL expression of type text. The key is the server's own 64-bit hash, so that
 * the statement that lists databases can compute it.
 */
export function lockKeyOf(kind: LockKind, expression: string): string {
  return `pg_catalog.hashtextextended('vivarium ${kind} ' || ${expression}, 0)`
}

/**
 * A condition: some session of the server holds the lock, in whichever database. Advisory locks belong to a database
 * and pg_locks (here its function: a new backend takes 2 ms to expand the view) shows those of all, so a Vivarium whose URL names another maintenance database is seen too.
 */
export function lockIsHeld(key: string): string {
  return `EXISTS (SELECT FROM pg_catalog.pg_lock_status() held WHERE ${lockMatches('held', key)})`
}

/** The same, sessions other than the one that asks. */
export function lockIsHeldElsewhere(key: string): string {
  return `EXISTS (SELECT FROM pg_catalog.pg_lock_status() held WHERE held.pid <> pg_catalog.pg_backend_pid() AND ${lockMatches('held', key)})`
}

/** A condition on a row of pg_locks: it is the granted advisory lock of this key (SET_LOCKTAG_ADVISORY in lock.h). */
export function lockMatches(row: string, key: string): string {
  return (
    `${row}.locktype = 'advisory' AND ${row}.granted AND ${row}.objsubid = 1` +
    ` AND ((${row}.classid::pg_catalog.int8 << 32) | ${row}.objid::pg_catalog.int8) = ${key}`
  )
}
