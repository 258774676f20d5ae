import type { IsolationLevel, StatementKind, TransactionModes } from './statement.ts'
import type { TokenCursor } from './token-cursor.ts'

/*
 * TransactionStmt of gram.y (PostgreSQL 18). Each reader is called behind the first word and answers undefined when
 * the rest is not exactly that command; the server will then report the syntax error.
 */

/** `BEGIN [WORK | TRANSACTION] [modes]`. */
export function readBegin(cursor: TokenCursor): StatementKind | undefined {
  cursor.acceptOneOf('work', 'transaction')
  return readStart(cursor, 'BEGIN')
}

/** `START TRANSACTION [modes]`. */
export function readStartTransaction(cursor: TokenCursor): StatementKind | undefined {
  return cursor.acceptWords('transaction') ? readStart(cursor, 'START TRANSACTION') : undefined
}

function readStart(cursor: TokenCursor, tag: 'BEGIN' | 'START TRANSACTION'): StatementKind | undefined {
  if (cursor.done) return { kind: 'begin', tag }
  const modes = readTransactionModes(cursor)
  return modes && { kind: 'begin', tag, ...modes }
}

/** `COMMIT PREPARED '…'`, or as {@link readEnd}. */
export function readCommit(cursor: TokenCursor): StatementKind | undefined {
  if (cursor.acceptWords('prepared')) return readPreparedName(cursor, 'commitPrepared')
  return readEnd(cursor)
}

/** `END [WORK | TRANSACTION] [AND [NO] CHAIN]`. */
export function readEnd(cursor: TokenCursor): StatementKind | undefined {
  const chain = readChain(cursor)
  return chain === undefined ? undefined : { kind: 'commit', chain }
}

/** `ROLLBACK PREPARED '…'`, `ROLLBACK [WORK | TRANSACTION] TO [SAVEPOINT] name`, or as {@link readAbort}. */
export function readRollback(cursor: TokenCursor): StatementKind | undefined {
  if (cursor.acceptWords('prepared')) return readPreparedName(cursor, 'rollbackPrepared')
  const start = cursor.position
  cursor.acceptOneOf('work', 'transaction')
  if (cursor.acceptWords('to')) return readSavepointName(cursor, 'rollbackTo')
  cursor.position = start
  return readAbort(cursor)
}

/** `ABORT [WORK | TRANSACTION] [AND [NO] CHAIN]`. */
export function readAbort(cursor: TokenCursor): StatementKind | undefined {
  const chain = readChain(cursor)
  return chain === undefined ? undefined : { kind: 'rollback', chain }
}

/** `SAVEPOINT name`. */
export function readSavepoint(cursor: TokenCursor): StatementKind | undefined {
  const named = cursor.acceptName()
  return named && cursor.done ? { kind: 'savepoint', name: named.name } : undefined
}

/** `RELEASE [SAVEPOINT] name`. */
export function readRelease(cursor: TokenCursor): StatementKind | undefined {
  return readSavepointName(cursor, 'release')
}

/** `PREPARE TRANSACTION '…'`. */
export function readPrepareTransaction(cursor: TokenCursor): StatementKind | undefined {
  return cursor.acceptWords('transaction') ? readPreparedName(cursor, 'prepareTransaction') : undefined
}

/** One or more transaction modes up to the statement's end, with or without commas between them. */
export function readTransactionModes(cursor: TokenCursor): TransactionModes | undefined {
  const modes: TransactionModes = {}
  do {
    if (!readMode(cursor, modes)) return undefined
    if (cursor.done) return modes
    if (cursor.acceptSymbol(',') && cursor.done) return undefined
  } while (!cursor.done)
  return modes
}

function readMode(cursor: TokenCursor, modes: TransactionModes): boolean {
  if (cursor.acceptWords('isolation', 'level')) {
    const isolation = readIsolation(cursor)
    if (isolation !== undefined) modes.isolation = isolation
    return isolation !== undefined
  }
  if (cursor.acceptWords('read', 'only')) modes.readOnly = true
  else if (cursor.acceptWords('read', 'write')) modes.readOnly = false
  else if (cursor.acceptWords('deferrable')) modes.deferrable = true
  else if (cursor.acceptWords('not', 'deferrable')) modes.deferrable = false
  else return false
  return true
}

function readIsolation(cursor: TokenCursor): IsolationLevel | undefined {
  if (cursor.acceptWords('serializable')) return 'serializable'
  if (cursor.acceptWords('repeatable', 'read')) return 'repeatable read'
  if (cursor.acceptWords('read', 'committed')) return 'read committed'
  return cursor.acceptWords('read', 'uncommitted') ? 'read uncommitted' : undefined
}

function readChain(cursor: TokenCursor): boolean | undefined {
  cursor.acceptOneOf('work', 'transaction')
  if (cursor.done) return false
  const chain = cursor.acceptWords('and', 'chain')
  if (!chain && !cursor.acceptWords('and', 'no', 'chain')) return undefined
  return cursor.done ? chain : undefined
}

function readSavepointName(cursor: TokenCursor, kind: 'release' | 'rollbackTo'): StatementKind | undefined {
  // `RELEASE savepoint` alone names a savepoint called so: the word is not reserved.
  if (cursor.peek(1) !== undefined) cursor.acceptWords('savepoint')
  const named = cursor.acceptName()
  return named && cursor.done ? { kind, name: named.name } : undefined
}

function readPreparedName(
  cursor: TokenCursor,
  kind: 'prepareTransaction' | 'commitPrepared' | 'rollbackPrepared',
): StatementKind | undefined {
  return cursor.acceptString() && cursor.done ? { kind } : undefined
}
