import type { SetStatement, StatementKind } from './statement.ts'
import type { TokenCursor } from './token-cursor.ts'
import { readTransactionModes } from './transaction-commands.ts'

type SetValue = Pick<SetStatement, 'isDefault' | 'value' | 'fromCurrent'>

/** `SET …` behind its first word (VariableSetStmt and ConstraintsSetStmt of gram.y); `text` is the whole query text. */
export function readSet(cursor: TokenCursor, text: string): StatementKind | undefined {
  const end = cursor.tokens.at(-1)?.end ?? 0
  if (cursor.word() === 'constraints' && !startsAssignment(cursor)) return readSetConstraints(cursor)
  const scope = startsAssignment(cursor) || isSessionForm(cursor) ? undefined : cursor.acceptOneOf('local', 'session')
  const from = cursor.peek()?.start ?? end
  if (!startsAssignment(cursor)) {
    if (cursor.acceptWords('transaction', 'snapshot')) {
      return cursor.acceptString() && cursor.done ? { kind: 'setTransaction', snapshot: true } : undefined
    }
    if (cursor.acceptWords('transaction')) {
      const modes = readTransactionModes(cursor)
      return modes && { kind: 'setTransaction', ...modes }
    }
    if (cursor.acceptWords('session', 'characteristics', 'as', 'transaction')) {
      const modes = readTransactionModes(cursor)
      return modes && { kind: 'setSessionCharacteristics', ...modes }
    }
  }
  const setting = readSetting(cursor)
  if (setting === undefined || !cursor.done) return undefined
  return { kind: 'set', ...setting, local: scope === 'local', replay: `SET ${text.slice(from, end)}` }
}

/** `RESET …` behind its first word. */
export function readReset(cursor: TokenCursor): StatementKind | undefined {
  const name = readSettingReference(cursor)
  return name === undefined ? undefined : { kind: 'reset', name }
}

/** `SHOW …` behind its first word. */
export function readShow(cursor: TokenCursor): StatementKind | undefined {
  const name = readSettingReference(cursor)
  return name === undefined ? undefined : { kind: 'show', name }
}

function readSettingReference(cursor: TokenCursor): string | undefined {
  let name: string | undefined
  if (cursor.acceptWords('all')) name = 'all'
  else if (cursor.acceptWords('time', 'zone')) name = 'timezone'
  else if (cursor.acceptWords('transaction', 'isolation', 'level')) name = 'transaction_isolation'
  else if (cursor.acceptWords('session', 'authorization')) name = 'session_authorization'
  else name = readSettingName(cursor)
  return cursor.done ? name : undefined
}

/** Whether what stands here is the name of an assignment, whatever its word: `SET local = 1` sets `local`. */
function startsAssignment(cursor: TokenCursor): boolean {
  const following = cursor.peek(1)
  if (following === undefined) return false
  if (following.kind === 'word') return following.value === 'to' || following.value === 'from'
  return following.text === '=' || following.text === '.'
}

/** `SET SESSION AUTHORIZATION` and `SET SESSION CHARACTERISTICS`, where SESSION is not the scope. */
function isSessionForm(cursor: TokenCursor): boolean {
  if (cursor.word() !== 'session') return false
  if (cursor.word(1) === 'authorization') return true
  return cursor.word(1) === 'characteristics' && cursor.word(2) === 'as'
}

function readSetting(cursor: TokenCursor): ({ name: string } & SetValue) | undefined {
  if (!startsAssignment(cursor)) {
    const special = readSpecialSetting(cursor)
    if (special !== undefined) return special
  }
  const name = readSettingName(cursor)
  if (name === undefined) return undefined
  if (cursor.acceptWords('from', 'current')) return { name, isDefault: false, fromCurrent: true }
  if (!cursor.acceptWords('to') && !cursor.acceptSymbol('=')) return undefined
  if (cursor.acceptWords('default')) return { name, isDefault: true }
  const value = readValue(cursor)
  if (value === undefined) return undefined
  if (cursor.done) return { name, isDefault: false, value }
  while (cursor.acceptSymbol(',')) if (readValue(cursor) === undefined) return undefined
  return { name, isDefault: false }
}

function readSpecialSetting(cursor: TokenCursor): ({ name: string } & SetValue) | undefined {
  const start = cursor.position
  if (cursor.acceptWords('time', 'zone')) return readTimeZone(cursor)
  if (cursor.acceptWords('session', 'authorization')) {
    if (cursor.acceptWords('default')) return { name: 'session_authorization', isDefault: true }
    const value = cursor.acceptWordOrString()
    return value === undefined ? undefined : { name: 'session_authorization', isDefault: false, value }
  }
  if (cursor.acceptWords('role')) {
    const value = cursor.acceptWordOrString()
    return value === undefined ? undefined : { name: 'role', isDefault: value === 'none', value }
  }
  if (cursor.acceptWords('schema')) {
    const value = cursor.acceptString()?.value
    return value === undefined ? undefined : { name: 'search_path', isDefault: false, value }
  }
  if (cursor.acceptWords('names')) {
    const value = cursor.acceptString()?.value
    if (value !== undefined) return { name: 'client_encoding', isDefault: false, value }
    cursor.acceptWords('default')
    return { name: 'client_encoding', isDefault: true }
  }
  if (cursor.acceptWords('xml', 'option')) {
    const value = cursor.acceptOneOf('document', 'content')
    return value === undefined ? undefined : { name: 'xmloption', isDefault: false, value: value.toUpperCase() }
  }
  cursor.position = start
  return undefined
}

function readTimeZone(cursor: TokenCursor): ({ name: string } & SetValue) | undefined {
  const name = 'timezone'
  if (cursor.acceptOneOf('default', 'local')) return { name, isDefault: true }
  if (cursor.acceptWords('interval')) {
    if (!cursor.skipParentheses() || !cursor.acceptString()) return undefined
    cursor.acceptWords('hour')
    cursor.acceptWords('to', 'minute')
    return { name, isDefault: false }
  }
  const value = readValue(cursor)
  return value === undefined ? undefined : { name, isDefault: false, value }
}

function readSettingName(cursor: TokenCursor): string | undefined {
  // Names of settings are compared without regard to case, quoted ones too.
  return readQualifiedName(cursor)?.toLowerCase()
}

function readQualifiedName(cursor: TokenCursor): string | undefined {
  let name = cursor.acceptName()?.name
  while (name !== undefined && cursor.acceptSymbol('.')) {
    const part = cursor.acceptName()?.name
    name = part === undefined ? undefined : `${name}.${part}`
  }
  return name
}

function readValue(cursor: TokenCursor): string | undefined {
  const keyword = cursor.acceptOneOf('true', 'false', 'on')
  if (keyword !== undefined) return keyword
  const word = cursor.acceptWordOrString()
  if (word !== undefined) return word
  const sign = cursor.acceptSymbol('-') ? '-' : cursor.acceptSymbol('+') ? '+' : ''
  const token = cursor.peek()
  if (token?.kind !== 'number') return undefined
  cursor.position++
  return sign === '-' ? `-${token.text}` : token.text
}

function readSetConstraints(cursor: TokenCursor): StatementKind | undefined {
  cursor.acceptWords('constraints')
  if (!cursor.acceptWords('all')) {
    do {
      if (readQualifiedName(cursor) === undefined) return undefined
    } while (cursor.acceptSymbol(','))
  }
  return cursor.acceptOneOf('deferred', 'immediate') && cursor.done ? { kind: 'setConstraints' } : undefined
}
