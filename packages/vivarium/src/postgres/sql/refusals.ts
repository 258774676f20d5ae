import type { StatementKind } from './statement.ts'
import type { TokenCursor } from './token-cursor.ts'

/*
 * Statements that the server refuses in a transaction block (callers of PreventInTransactionBlock), each with the
 * name that the server's message gives it. Called behind the first word.
 */

/** `VACUUM …`. */
export function readVacuum(): StatementKind {
  return refuses('VACUUM')
}

/** `CREATE DATABASE`, `TABLESPACE`, `SUBSCRIPTION` that makes a slot, `INDEX CONCURRENTLY`. */
export function readCreateRefusal(cursor: TokenCursor): StatementKind | undefined {
  if (cursor.acceptWords('database')) return refuses('CREATE DATABASE')
  if (cursor.acceptWords('tablespace')) return refuses('CREATE TABLESPACE')
  if (cursor.acceptWords('subscription')) {
    const createsSlot = !(isSwitchedOff(cursor, 'create_slot') || isSwitchedOff(cursor, 'connect'))
    return createsSlot ? refuses('CREATE SUBSCRIPTION ... WITH (create_slot = true)') : undefined
  }
  cursor.acceptWords('unique')
  return cursor.acceptWords('index', 'concurrently') ? refuses('CREATE INDEX CONCURRENTLY') : undefined
}

/** `DROP DATABASE`, `TABLESPACE`, `SUBSCRIPTION`, `INDEX CONCURRENTLY`. */
export function readDrop(cursor: TokenCursor): StatementKind | undefined {
  if (cursor.acceptWords('database')) return refuses('DROP DATABASE')
  if (cursor.acceptWords('tablespace')) return refuses('DROP TABLESPACE')
  // It refuses only while the subscription has a slot, which the text does not tell.
  if (cursor.acceptWords('subscription')) return refuses('DROP SUBSCRIPTION')
  return cursor.acceptWords('index', 'concurrently') ? refuses('DROP INDEX CONCURRENTLY') : undefined
}

/** `ALTER SYSTEM`, `DATABASE … SET TABLESPACE`, `TABLE … DETACH PARTITION … CONCURRENTLY`, `SUBSCRIPTION` that refreshes. */
export function readAlter(cursor: TokenCursor): StatementKind | undefined {
  if (cursor.acceptWords('system')) return refuses('ALTER SYSTEM')
  if (cursor.acceptWords('database')) {
    return cursor.acceptName() && cursor.acceptWords('set', 'tablespace')
      ? refuses('ALTER DATABASE SET TABLESPACE')
      : undefined
  }
  if (cursor.acceptWords('table')) {
    const words = cursor.tokens.map((token) => (token.kind === 'word' ? token.value : ''))
    const detach = words.indexOf('detach')
    return detach > 0 && words[detach + 1] === 'partition' && words.at(-1) === 'concurrently'
      ? refuses('ALTER TABLE ... DETACH CONCURRENTLY')
      : undefined
  }
  if (cursor.acceptWords('subscription') && cursor.acceptName()) {
    if (cursor.acceptWords('refresh', 'publication')) return refuses('ALTER SUBSCRIPTION ... REFRESH')
    const verb = cursor.acceptOneOf('set', 'add', 'drop')
    if (verb && cursor.acceptWords('publication') && !isSwitchedOff(cursor, 'refresh')) {
      return refuses('ALTER SUBSCRIPTION with refresh')
    }
  }
  return undefined
}

/** `REINDEX DATABASE | SYSTEM | SCHEMA` and every `CONCURRENTLY`. */
export function readReindex(cursor: TokenCursor): StatementKind | undefined {
  const concurrentOption = cursor.peek()?.text === '(' && isSwitchedOn(cursor, 'concurrently')
  if (!cursor.skipParentheses()) return undefined
  const what = cursor.acceptOneOf('database', 'system', 'schema', 'table', 'index')
  if (what === undefined) return undefined
  if (what !== 'table' && what !== 'index') return refuses(`REINDEX ${what.toUpperCase()}`)
  return concurrentOption || cursor.word() === 'concurrently' ? refuses('REINDEX CONCURRENTLY') : undefined
}

/** `CLUSTER` of every table. */
export function readCluster(cursor: TokenCursor): StatementKind | undefined {
  if (!cursor.skipParentheses()) return undefined
  cursor.acceptWords('verbose')
  return cursor.done ? refuses('CLUSTER') : undefined
}

function refuses(command: string): StatementKind {
  return { kind: 'refusesTransaction', command }
}

const off: ReadonlySet<string> = new Set(['false', 'off', '0'])

function isSwitchedOff(cursor: TokenCursor, option: string): boolean {
  return off.has(optionValue(cursor, option) ?? '')
}

function isSwitchedOn(cursor: TokenCursor, option: string): boolean {
  const value = optionValue(cursor, option)
  return value !== undefined && !off.has(value)
}

/** The value of `option [=] value` in a list of options anywhere in the statement; '' when the option stands alone. */
function optionValue(cursor: TokenCursor, option: string): string | undefined {
  const { tokens } = cursor
  const at = tokens.findIndex((token) => token.kind === 'word' && token.value === option)
  if (at === -1) return undefined
  const value = tokens[at + 1]?.text === '=' ? tokens[at + 2] : tokens[at + 1]
  return value === undefined || value.kind === 'punctuation' ? '' : value.value.toLowerCase()
}
