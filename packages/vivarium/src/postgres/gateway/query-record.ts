import { now } from '../../core/clock.ts'
import type { InjectedFault } from '../../core/injected-fault.ts'
import type { ObservedQuery } from '../../core/interactions.ts'
import type { MessageFields } from '../protocol/server-message.ts'
import type { Level } from './level.ts'

/** One statement under way, to be recorded when its answer is complete. */
export interface QueryRecord {
  readonly level: Pick<Level, 'recorder' | 'openedAt'>
  readonly text: string
  readonly params: readonly (string | Uint8Array | null)[]
  readonly connection: number
  /** It is Vivarium's, not the application's. */
  readonly isOwn: boolean
  readonly transaction: number | undefined
  readonly startedAt: number
  /** The fault that breaks it. */
  readonly fault: InjectedFault | undefined
}

export function recordCompleted(record: QueryRecord, tag: string | undefined): void {
  const read = tag === undefined ? undefined : readTag(tag)
  note(record, {
    component: 'postgres',
    text: record.text,
    params: record.params,
    command: read?.command,
    rowCount: read?.rowCount,
    durationMs: now() - record.startedAt,
    error: undefined,
    connection: record.connection,
    transaction: record.transaction,
    fault: record.fault,
    at: record.startedAt - record.level.openedAt,
  })
}

export function recordFailed(record: QueryRecord, fields: MessageFields): void {
  note(record, {
    component: 'postgres',
    text: record.text,
    params: record.params,
    command: undefined,
    rowCount: undefined,
    durationMs: now() - record.startedAt,
    error: { code: fields['C'] ?? '', message: fields['M'] ?? '' },
    connection: record.connection,
    transaction: record.transaction,
    fault: record.fault,
    at: record.startedAt - record.level.openedAt,
  })
}

function note({ level, isOwn }: QueryRecord, query: ObservedQuery): void {
  if (isOwn) level.recorder.recordOwn(query)
  else level.recorder.record(query)
}

/** `INSERT 0 3` → INSERT, 3; `SELECT 1` → SELECT, 1; `CREATE TABLE` → CREATE TABLE (PostgreSQL docs, CommandComplete). */
function readTag(tag: string): { command: string; rowCount: number | undefined } {
  const lastSpace = tag.lastIndexOf(' ')
  const rowCount = lastSpace === -1 ? Number.NaN : Number(tag.slice(lastSpace + 1))
  if (Number.isNaN(rowCount)) return { command: tag, rowCount: undefined }
  const command = tag.slice(0, lastSpace)
  return { command: command === 'INSERT 0' ? 'INSERT' : command, rowCount }
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
