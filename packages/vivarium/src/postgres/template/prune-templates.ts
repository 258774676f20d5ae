import { VivariumError } from '../../core/errors.ts'
import { quoteIdentifier, quoteLiteral } from '../connection/client.ts'
import type { PostgresClient } from '../connection/client.ts'
import { PostgresServerError } from '../connection/server-error.ts'
import { lockIsHeldElsewhere, lockKey } from './advisory-lock.ts'
import { templatePattern } from './database-names.ts'
import { parseTemplateNote, writeTemplateNote } from './template-note.ts'

/** A template that no run has used for so long is dropped; the next run that needs it builds it again. */
const keptDays = 14

const useDeadlineMs = 30_000

/**
 * Makes the session a user of a template, until it ends: nobody drops it meanwhile. While it is being dropped it waits.
 *
 * @throws VivariumError TEMPLATE_WAIT_TIMEOUT
 */
export async function useTemplate(client: PostgresClient, database: string): Promise<void> {
  const lock = `pg_catalog.pg_advisory_lock_shared(${lockKey('template use', database)})`
  await client.query(`SET LOCAL lock_timeout = ${useDeadlineMs}; SELECT ${lock}`).catch((error: unknown) => {
    if (!(error instanceof PostgresServerError) || error.code !== '55P03') throw error
    throw new VivariumError('TEMPLATE_WAIT_TIMEOUT', {
      what: `Waited ${useDeadlineMs} ms while another process dropped the template ${database}, which had not been used for long.`,
      seen: error.message,
      remedy: 'See whether that process hangs (pg_stat_activity), and run again.',
      cause: error,
    })
  })
}

/** Notes in the template that it was used today. */
export async function noteTemplateUse(client: PostgresClient, database: string): Promise<void> {
  const { note, today } = await readNote(client, database)
  if (note === undefined || note.usedOn === today) return
  await writeTemplateNote(client, database, { ...note, usedOn: today }).catch((error: unknown) => {
    // "tuple concurrently updated": another run notes the same right now.
    if (!(error instanceof PostgresServerError) || error.code !== 'XX000') throw error
  })
}

/**
 * Drops the templates of our own role that no run has used for two weeks. One without a date gets today's.
 *
 * @returns the templates that were dropped.
 */
export async function pruneTemplates(client: PostgresClient, isCancelled: () => boolean): Promise<string[]> {
  const rows = await client.query(
    `SELECT datname AS name FROM pg_catalog.pg_database
      WHERE datname ~ '${templatePattern}' AND pg_catalog.pg_get_userbyid(datdba) = current_user ORDER BY 1`,
  )
  const dropped: string[] = []
  for (const { name } of rows) {
    if (isCancelled()) return dropped
    if (name !== undefined && name !== null && (await isOld(client, name)) && (await pruneOne(client, name))) {
      dropped.push(name)
    }
  }
  return dropped
}

async function pruneOne(client: PostgresClient, database: string): Promise<boolean> {
  const key = lockKey('template use', database)
  const locked = await client.query(
    `SELECT pg_catalog.pg_try_advisory_lock(${key}) AS locked, ${lockIsHeldElsewhere(key)} AS elsewhere`,
  )
  const { locked: isOurs, elsewhere } = locked[0] ?? {}
  if (isOurs !== 't') return false
  try {
    // Looked at again: whoever used it before we locked it has noted that.
    return elsewhere !== 't' && (await isOld(client, database)) && (await drop(client, database))
  } finally {
    await client.query(`SELECT pg_catalog.pg_advisory_unlock(${key})`)
  }
}

async function drop(client: PostgresClient, database: string): Promise<boolean> {
  const name = quoteIdentifier(database)
  try {
    await client.query(`ALTER DATABASE ${name} IS_TEMPLATE false`)
    // Without FORCE: what is connected to it is not ours.
    await client.query(`DROP DATABASE ${name}`)
    return true
  } catch (error) {
    if (!(error instanceof PostgresServerError)) throw error
    // Somebody is in it, or it is gone already.
    await client.query(`ALTER DATABASE ${name} IS_TEMPLATE true`).catch(() => undefined)
    return false
  }
}

async function isOld(client: PostgresClient, database: string): Promise<boolean> {
  const { note, today } = await readNote(client, database)
  if (note === undefined) return false
  if (note.usedOn !== undefined) return (Date.parse(today) - Date.parse(note.usedOn)) / 86_400_000 > keptDays
  await noteTemplateUse(client, database)
  return false
}

/** Days are the server's: the machines of several runs need not agree on the time. */
async function readNote(
  client: PostgresClient,
  database: string,
): Promise<{ note: ReturnType<typeof parseTemplateNote>; today: string }> {
  const rows = await client.query(
    `SELECT ${serverToday} AS today, (SELECT pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database
      WHERE datname = ${quoteLiteral(database)}) AS comment`,
  )
  return { note: parseTemplateNote(rows[0]?.['comment']), today: rows[0]?.['today'] ?? '' }
}

/** An expression: today's date in UTC. */
const serverToday = `pg_catalog.to_char(pg_catalog.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD')`
