import { Lexer, tokenize } from './lexer.ts'
import type { Token } from './lexer.ts'

/** What becomes of a temporary table's rows when a transaction commits. */
export type OnCommit = 'preserve' | 'delete rows' | 'drop'

/** A temporary table, view or sequence that a text makes. */
export interface TemporaryObject {
  readonly name: string
  readonly onCommit: OnCommit
}

/**
 * The temporary objects that a text makes: CREATE TEMP TABLE, VIEW and SEQUENCE, CREATE TABLE pg_temp.…, CREATE TABLE AS
 * and SELECT INTO TEMP. Of a DO block, or with `isBody` of a routine's body, also what its code and the statements in its
 * strings make; names that are put together while it runs are not found.
 */
export function findTemporaryObjects(text: string, isBody = false, depth = 0): TemporaryObject[] {
  const tokens = tokenize(text)
  const found: TemporaryObject[] = []
  const isCode = isBody || wordAt(tokens, 0) === 'do'
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] as Token
    if (token.kind === 'string' && isCode && depth < 4) {
      found.push(...findTemporaryObjects(token.value, true, depth + 1))
      continue
    }
    const name = token.kind === 'word' ? nameMadeAt(tokens, at) : undefined
    if (name !== undefined) found.push({ name: name.value, onCommit: readOnCommit(tokens, name.end) })
  }
  return found
}

function wordAt(tokens: readonly Token[], at: number): string | undefined {
  const token = tokens[at]
  return token?.kind === 'word' ? token.value : undefined
}

/** The name of the temporary object that a CREATE or INTO here makes, and where the text goes on. */
function nameMadeAt(tokens: readonly Token[], from: number): { value: string; end: number } | undefined {
  const isCreate = wordAt(tokens, from) === 'create'
  if (!isCreate && wordAt(tokens, from) !== 'into') return undefined
  if (!isCreate && /^(?:insert|merge)$/.test(wordAt(tokens, from - 1) ?? '')) return undefined
  let at = from + 1
  let isTemporary = false
  for (let word = wordAt(tokens, at); word !== undefined; word = wordAt(tokens, at)) {
    if (word === 'temp' || word === 'temporary') isTemporary = true
    else if (!/^(?:or|replace|local|global|unlogged|recursive|table|view|sequence|if|not|exists)$/.test(word)) break
    at++
  }
  if (wordAt(tokens, at) === 'pg_temp' && tokens[at + 1]?.text === '.') {
    isTemporary = true
    at += 2
  }
  const name = tokens[at]
  if (!isTemporary || (name?.kind !== 'word' && name?.kind !== 'quotedIdentifier')) return undefined
  return { value: name.value, end: at + 1 }
}

/** ON COMMIT stands behind the columns and the options, before AS; in a SELECT INTO it cannot stand at all. */
function readOnCommit(tokens: readonly Token[], from: number): OnCommit {
  let depth = 0
  for (let at = from; at < tokens.length; at++) {
    const { text } = tokens[at] as Token
    if (text === '(') depth++
    else if (text === ')') depth--
    else if (text === ';' || depth < 0) break
    else if (depth === 0 && wordAt(tokens, at) === 'on' && wordAt(tokens, at + 1) === 'commit') {
      const what = wordAt(tokens, at + 2)
      return what === 'drop' ? 'drop' : what === 'delete' ? 'delete rows' : 'preserve'
    }
  }
  return 'preserve'
}

/** Whether a statement names one of these tables or views: as a whole identifier, wherever it stands. */
export function findNamed(text: string, names: (name: string) => boolean): string | undefined {
  const lexer = new Lexer(text)
  while (lexer.next()) {
    if (lexer.kind !== 'word' && lexer.kind !== 'quotedIdentifier') continue
    const name = lexer.value()
    if (names(name)) return name
  }
  return undefined
}

/** The names that a DROP TABLE, VIEW or SEQUENCE drops, without their schemas; of anything else none. */
export function findDropped(text: string): string[] {
  const tokens = tokenize(text)
  if (wordAt(tokens, 0) !== 'drop' || !/^(?:table|view|sequence)$/.test(wordAt(tokens, 1) ?? '')) return []
  return tokens
    .slice(2)
    .flatMap((token) => (token.kind === 'word' || token.kind === 'quotedIdentifier' ? token.value : []))
}
