import type { StatementKind } from './statement.ts'
import type { TokenCursor } from './token-cursor.ts'

/** `PREPARE TRANSACTION` apart, `PREPARE name [(types)] AS …`. */
export function readPrepare(cursor: TokenCursor): StatementKind | undefined {
  const named = cursor.acceptName()
  if (named === undefined || !cursor.skipParentheses() || !cursor.acceptWords('as') || cursor.done) return undefined
  return { kind: 'prepare', ...named }
}

/** `EXECUTE name [(…)]`. */
export function readExecute(cursor: TokenCursor): StatementKind | undefined {
  const named = cursor.acceptName()
  return named && cursor.skipParentheses() && cursor.done ? { kind: 'execute', ...named } : undefined
}

/** `EXPLAIN … EXECUTE name` and `EXPLAIN … CREATE TABLE … AS EXECUTE name`. */
export function readExplain(cursor: TokenCursor): StatementKind | undefined {
  if (!cursor.skipParentheses()) return undefined
  while (cursor.acceptOneOf('analyze', 'analyse', 'verbose'));
  if (cursor.acceptWords('execute')) return readExecute(cursor)
  return cursor.acceptWords('create') ? readCreateTableAs(cursor) : undefined
}

/** `CREATE TABLE … AS EXECUTE name`, behind CREATE. */
export function readCreateTableAs(cursor: TokenCursor): StatementKind | undefined {
  while (cursor.acceptOneOf('local', 'global', 'temporary', 'temp', 'unlogged'));
  if (!cursor.acceptWords('table')) return undefined
  while (!cursor.done && cursor.word() !== 'as') {
    if (!cursor.skipParentheses()) return undefined
    if (!cursor.done && cursor.word() !== 'as' && cursor.peek()?.text !== '(') cursor.position++
  }
  if (!cursor.acceptWords('as', 'execute')) return undefined
  const named = cursor.acceptName()
  return named && { kind: 'execute', ...named }
}

/** `DEALLOCATE [PREPARE] name | ALL`. */
export function readDeallocate(cursor: TokenCursor): StatementKind | undefined {
  if (cursor.peek(1) !== undefined) cursor.acceptWords('prepare')
  if (cursor.acceptWords('all')) return cursor.done ? { kind: 'deallocateAll' } : undefined
  const named = cursor.acceptName()
  return named && cursor.done ? { kind: 'deallocate', ...named } : undefined
}

/** `DISCARD ALL | PLANS | SEQUENCES | TEMP | TEMPORARY`. */
export function readDiscard(cursor: TokenCursor): StatementKind | undefined {
  const what = cursor.acceptOneOf('all', 'plans', 'sequences', 'temp', 'temporary')
  if (what === undefined || !cursor.done) return undefined
  return { kind: 'discard', what: what === 'temporary' ? 'temp' : (what as 'all' | 'plans' | 'sequences' | 'temp') }
}

/** `DECLARE name [options] CURSOR [WITH | WITHOUT HOLD] FOR …`. */
export function readDeclare(cursor: TokenCursor): StatementKind | undefined {
  const named = cursor.acceptName()
  if (named === undefined) return undefined
  while (cursor.acceptWords('no', 'scroll') || cursor.acceptOneOf('scroll', 'binary', 'asensitive', 'insensitive'));
  if (!cursor.acceptWords('cursor')) return undefined
  const hold = cursor.acceptWords('with', 'hold')
  if (!hold) cursor.acceptWords('without', 'hold')
  return cursor.acceptWords('for') && !cursor.done ? { kind: 'declareCursor', name: named.name, hold } : undefined
}

/** `CLOSE name | ALL`. */
export function readClose(cursor: TokenCursor): StatementKind | undefined {
  if (cursor.acceptWords('all')) return cursor.done ? { kind: 'closeCursor', name: undefined } : undefined
  const named = cursor.acceptName()
  return named && cursor.done ? { kind: 'closeCursor', name: named.name } : undefined
}

/** `LISTEN name`. */
export function readListen(cursor: TokenCursor): StatementKind | undefined {
  return cursor.acceptName() && cursor.done ? { kind: 'listen' } : undefined
}

/** `UNLISTEN name | *`. */
export function readUnlisten(cursor: TokenCursor): StatementKind | undefined {
  return (cursor.acceptSymbol('*') || cursor.acceptName()) && cursor.done ? { kind: 'unlisten' } : undefined
}

/** `NOTIFY name [, 'payload']`. */
export function readNotify(cursor: TokenCursor): StatementKind | undefined {
  if (!cursor.acceptName()) return undefined
  if (cursor.acceptSymbol(',') && !cursor.acceptString()) return undefined
  return cursor.done ? { kind: 'notify' } : undefined
}

/** `LOCK [TABLE] …`. */
export function readLock(cursor: TokenCursor): StatementKind | undefined {
  return cursor.done ? undefined : { kind: 'lockTable' }
}

/** `COPY … FROM | TO …`: to or from the client, or a file or program of the server's. */
export function readCopy(cursor: TokenCursor): StatementKind | undefined {
  while (!cursor.done) {
    if (!cursor.skipParentheses()) return undefined
    const direction = cursor.acceptOneOf('from', 'to')
    if (direction !== undefined) {
      const client = cursor.acceptOneOf('stdin', 'stdout') !== undefined
      return { kind: 'copy', direction: client ? (direction === 'from' ? 'in' : 'out') : 'other' }
    }
    if (cursor.peek()?.text !== '(') cursor.position++
  }
  return undefined
}
