import { Lexer } from './lexer.ts'
import type { Token } from './lexer.ts'
import {
  readClose,
  readCopy,
  readCreateTableAs,
  readDeallocate,
  readDeclare,
  readDiscard,
  readExecute,
  readExplain,
  readListen,
  readLock,
  readNotify,
  readPrepare,
  readUnlisten,
} from './named-object-commands.ts'
import { readAlter, readCluster, readCreateRefusal, readDrop, readReindex, readVacuum } from './refusals.ts'
import { readReset, readSet, readShow } from './setting-commands.ts'
import { StatementBoundary } from './split.ts'
import { FlagCollector } from './statement-flags.ts'
import type { Span, Statement, StatementFlags, StatementKind } from './statement.ts'
import { findTemporaryObjects } from './temporary-objects.ts'
import type { TemporaryObject } from './temporary-objects.ts'
import { TokenCursor } from './token-cursor.ts'
import {
  readAbort,
  readBegin,
  readCommit,
  readEnd,
  readPrepareTransaction,
  readRelease,
  readRollback,
  readSavepoint,
  readStartTransaction,
} from './transaction-commands.ts'

export type * from './statement.ts'

type Reader = (cursor: TokenCursor, text: string) => StatementKind | undefined

const readers: ReadonlyMap<string, readonly Reader[]> = new Map<string, readonly Reader[]>([
  ['begin', [readBegin]],
  ['start', [readStartTransaction]],
  ['commit', [readCommit]],
  ['end', [readEnd]],
  ['rollback', [readRollback]],
  ['abort', [readAbort]],
  ['savepoint', [readSavepoint]],
  ['release', [readRelease]],
  ['prepare', [readPrepareTransaction, readPrepare]],
  ['execute', [readExecute]],
  ['explain', [readExplain]],
  ['deallocate', [readDeallocate]],
  ['discard', [readDiscard]],
  ['declare', [readDeclare]],
  ['close', [readClose]],
  ['set', [readSet]],
  ['reset', [readReset]],
  ['show', [readShow]],
  ['lock', [readLock]],
  ['listen', [readListen]],
  ['unlisten', [readUnlisten]],
  ['notify', [readNotify]],
  ['copy', [readCopy]],
  ['create', [readCreateTableAs, readCreateRefusal]],
  ['drop', [readDrop]],
  ['alter', [readAlter]],
  ['reindex', [readReindex]],
  ['cluster', [readCluster]],
  ['vacuum', [readVacuum]],
])

/**
 * What each statement of a query text does to transactions and the session; empty for an empty query. A statement is
 * a command of ours only when it matches that command's whole grammar, otherwise it is `other` and the server judges it.
 */
export function classify(text: string): Statement[] {
  const lexer = new Lexer(text)
  const boundary = new StatementBoundary()
  const flags = new FlagCollector()
  const statements: Statement[] = []
  let start = -1
  let end = 0
  let commands: readonly Reader[] | undefined
  let tokens: Token[] = []
  const finish = (): void => {
    if (start === -1) return
    const other = otherStatement({ start, end }, text.slice(start, end), flags.take())
    const kind = commands && readKind(commands, tokens, text)
    statements.push(kind === undefined ? other : { ...other, ...kind })
    boundary.reset()
    start = -1
    if (commands !== undefined) tokens = []
  }
  while (lexer.next()) {
    if (boundary.endsAt(lexer)) {
      finish()
      continue
    }
    flags.see(lexer)
    if (start === -1) {
      start = lexer.start
      commands = lexer.kind === 'word' ? readers.get(lexer.value()) : undefined
    } else if (commands !== undefined) {
      // Statements that no command starts are passed over without a token made: they may be megabytes of INSERT.
      tokens.push(lexer.token())
    }
    end = lexer.end
  }
  finish()
  return statements
}

const nothingTemporary: readonly TemporaryObject[] = []

/** Spelt out: spreading the flags takes longer than reading a short statement does. */
function otherStatement(span: Span, text: string, flags: StatementFlags): Statement & { kind: 'other' } {
  return {
    kind: 'other',
    span,
    text,
    temporary: flags.saysTemporary ? findTemporaryObjects(text) : nothingTemporary,
    ddl: flags.ddl,
    saysTemporary: flags.saysTemporary,
    opensLargeObject: flags.opensLargeObject,
    mayCallSetConfig: flags.mayCallSetConfig,
    terminatesBackend: flags.terminatesBackend,
    notifies: flags.notifies,
    locksAdvisory: flags.locksAdvisory,
    skipLocked: flags.skipLocked,
    readsNow: flags.readsNow,
  }
}

function readKind(commands: readonly Reader[], tokens: Token[], text: string): StatementKind | undefined {
  if (tokens.at(-1)?.kind === 'unterminated') return undefined
  for (const read of commands) {
    const kind = read(new TokenCursor(tokens), text)
    if (kind !== undefined) return kind
  }
  return undefined
}
