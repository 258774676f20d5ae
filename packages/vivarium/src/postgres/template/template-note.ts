import { quoteIdentifier, quoteLiteral } from '../connection/client.ts'
import type { PostgresClient } from '../connection/client.ts'

/** A sequence that the migrations left in another state than its initial one. */
export interface SequenceState {
  readonly schema: string
  readonly name: string
  readonly lastValue: string
  readonly isCalled: boolean
}

/**
 * What Vivarium remembers of a template, as the comment of its database: nobody may connect to a template, and a
 * database's comment can be read from any other.
 */
export interface TemplateNote {
  readonly sequences: readonly SequenceState[]
  /** The last day, in UTC, on which a run began to use it (`2026-01-31`). */
  readonly usedOn?: string
}

/** Reads what is to be remembered, on a connection to the template while it is built. */
export async function readTemplateNote(client: PostgresClient): Promise<TemplateNote> {
  const known = await client.query(
    `SELECT n.nspname AS schema, c.relname AS name, s.seqstart AS start
       FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relpersistence <> 't' AND pg_catalog.has_sequence_privilege(s.seqrelid, 'SELECT')
      ORDER BY 1, 2`,
  )
  if (known.length === 0) return { sequences: [] }
  const states = known.map(
    ({ schema, name, start }) =>
      `SELECT ${quoteLiteral(schema ?? '')} AS schema, ${quoteLiteral(name ?? '')} AS name, last_value, is_called
         FROM ${quoteIdentifier(schema ?? '')}.${quoteIdentifier(name ?? '')} WHERE is_called OR last_value <> ${start}`,
  )
  const rows = await client.query(states.join('\nUNION ALL\n'))
  const sequences = rows.map((row) => ({
    schema: row['schema'] ?? '',
    name: row['name'] ?? '',
    lastValue: row['last_value'] ?? '',
    isCalled: row['is_called'] === 't',
  }))
  return { sequences }
}

export async function writeTemplateNote(client: PostgresClient, database: string, note: TemplateNote): Promise<void> {
  await client.query(`COMMENT ON DATABASE ${quoteIdentifier(database)} IS ${quoteLiteral(JSON.stringify(note))}`)
}

/** The note in a database's comment; `undefined` when the comment is not ours. */
export function parseTemplateNote(comment: string | null | undefined): TemplateNote | undefined {
  if (comment === null || comment === undefined) return undefined
  try {
    const note = JSON.parse(comment) as Partial<TemplateNote> | null
    if (note === null || !Array.isArray(note.sequences)) return undefined
    const { sequences, usedOn } = note
    return typeof usedOn === 'string' ? { sequences, usedOn } : { sequences }
  } catch {
    return undefined
  }
}
