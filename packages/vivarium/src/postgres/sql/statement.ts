import type { TemporaryObject } from './temporary-objects.ts'

/** A part of a text, in offsets of the JavaScript string. */
export interface Span {
  start: number
  end: number
}

/** An isolation level as SHOW prints it. */
export type IsolationLevel = 'serializable' | 'repeatable read' | 'read committed' | 'read uncommitted'

/** What BEGIN, SET TRANSACTION and SET SESSION CHARACTERISTICS may ask for; of repeated modes the last one counts. */
export interface TransactionModes {
  isolation?: IsolationLevel
  readOnly?: boolean
  deferrable?: boolean
}

/** What a statement does to transactions and the session; offsets are those of the whole text. */
export type StatementKind =
  | ({ kind: 'begin'; tag: 'BEGIN' | 'START TRANSACTION' } & TransactionModes)
  | { kind: 'commit'; chain: boolean }
  | { kind: 'rollback'; chain: boolean }
  | { kind: 'savepoint'; name: string }
  | { kind: 'release'; name: string }
  | { kind: 'rollbackTo'; name: string }
  | { kind: 'prepareTransaction' }
  | { kind: 'commitPrepared' }
  | { kind: 'rollbackPrepared' }
  | ({ kind: 'setTransaction'; snapshot?: boolean } & TransactionModes)
  | ({ kind: 'setSessionCharacteristics' } & TransactionModes)
  | { kind: 'setConstraints' }
  | SetStatement
  | { kind: 'reset'; name: string }
  | { kind: 'show'; name: string }
  | { kind: 'prepare'; name: string; nameSpan: Span }
  | { kind: 'execute'; name: string; nameSpan: Span }
  | { kind: 'deallocate'; name: string; nameSpan: Span }
  | { kind: 'deallocateAll' }
  | { kind: 'discard'; what: 'all' | 'plans' | 'sequences' | 'temp' }
  | { kind: 'declareCursor'; name: string; hold: boolean }
  | { kind: 'closeCursor'; name: string | undefined }
  | { kind: 'lockTable' }
  | { kind: 'listen' }
  | { kind: 'unlisten' }
  | { kind: 'notify' }
  | { kind: 'copy'; direction: 'in' | 'out' | 'other' }
  | { kind: 'refusesTransaction'; command: string }
  | { kind: 'other'; ddl: boolean }

/** SET of one setting. */
export interface SetStatement {
  kind: 'set'
  /** Lower case; `timezone`, `role`, `session_authorization`, `client_encoding` for the special forms. */
  name: string
  local: boolean
  /** The same as a SET of the session, without LOCAL or SESSION. */
  replay: string
  /** TO DEFAULT and what means it: ROLE NONE, SESSION AUTHORIZATION DEFAULT, TIME ZONE LOCAL. */
  isDefault: boolean
  /** The value when it is one constant or word. */
  value?: string
  /** SET x FROM CURRENT: keeps what is set now, which a replay cannot know. */
  fromCurrent?: boolean
}

/** What a statement mentions, whatever it is; words inside strings count in DO only. */
export interface StatementFlags {
  /** `set_config` occurs, or a DO block could set something. */
  mayCallSetConfig: boolean
  /** pg_terminate_backend or pg_cancel_backend occurs. */
  terminatesBackend: boolean
  notifies: boolean
  locksAdvisory: boolean
  /** SKIP LOCKED or NOWAIT. */
  skipLocked: boolean
  /** The transaction's start time is read: now(), CURRENT_TIMESTAMP and their kin. */
  readsNow: boolean
  /** May change the catalogue. */
  ddl: boolean
  /** A word occurs without which nothing temporary is made. */
  saysTemporary: boolean
  /** lo_open occurs: what it opens ends with the transaction. */
  opensLargeObject: boolean
}

/** One statement of a query text. */
export type Statement = {
  span: Span
  text: string
  /** The temporary tables, views and sequences that it makes. */
  temporary: readonly TemporaryObject[]
} & StatementFlags &
  StatementKind
