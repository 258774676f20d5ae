import { now } from '../../core/clock.ts'
import type { MessageFields } from '../protocol/server-message.ts'
import type { Level } from './level.ts'

/** One statement under way, to be recorded when its answer is complete. */
export interface QueryRecord {
  readonly level: Level
  readonly text: string
  readonly params: readonly (string | Uint8Array | null)[]
  readonly connection: number
  readonly transaction: number | undefined
  readonly startedAt: number
}

export function recordCompleted(record: QueryRecord, tag: string | undefined): void {
  const { command, rowCount } = readTag(tag)
  record.level.recorder.record({ ...common(record), command, rowCount, error: undefined })
}

export function recordFailed(record: QueryRecord, fields: MessageFields): void {
  record.level.recorder.record({
    ...common(record),
    command: undefined,
    rowCount: undefined,
    error: { code: fields['C'] ?? '', message: fields['M'] ?? '' },
  })
}

function common(record: QueryRecord): {
  component: 'postgres'
  text: string
  params: readonly (string | Uint8Array | null)[]
  connection: number
  transaction: number | undefined
  durationMs: number
  at: number
} {
  return {
    component: 'postgres',
    text: record.text,
    params: record.params,
    connection: record.connection,
    transaction: record.transaction,
    durationMs: now() - record.startedAt,
    at: record.startedAt - record.level.openedAt,
  }
}

/** `INSERT 0 3` → INSERT, 3; `SELECT 1` → SELECT, 1; `CREATE TABLE` → CREATE TABLE (PostgreSQL docs, CommandComplete). */
function readTag(tag: string | undefined): { command: string | undefined; rowCount: number | undefined } {
  if (tag === undefined) return { command: undefined, rowCount: undefined }
  const match = /^([A-Z ]+?)(?: (\d+))?(?: (\d+))?$/.exec(tag)
  const count = match?.[3] ?? match?.[2]
  return { command: match?.[1] ?? tag, rowCount: count === undefined ? undefined : Number(count) }
}

/** Command tags of statements that never change the catalogue. */
const dataTags: ReadonlySet<string> = new Set([
  'SELECT', 'INSERT', 'UPDATE', 'DELETE', 'MERGE', 'FETCH', 'MOVE', 'COPY', 'SET', 'RESET', 'SHOW', 'EXPLAIN',
  'DECLARE', 'CLOSE', 'LOCK', 'TRUNCATE', 'PREPARE', 'EXECUTE', 'DEALLOCATE', 'DISCARD', 'LISTEN', 'NOTIFY', 'UNLISTEN',
  'SAVEPOINT', 'RELEASE', 'ROLLBACK', 'VALUES',
]) // prettier-ignore

/** Whether a completed statement may have changed the catalogue. */
export function mayChangeCatalogue(tag: string): boolean {
  const space = tag.indexOf(' ')
  return !dataTags.has(space === -1 ? tag : tag.slice(0, space))
}
