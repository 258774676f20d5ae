import { tokenize } from './lexer.ts'
import type { Token } from './lexer.ts'

/** An argument as far as the text tells it; a literal's null is SQL's NULL. */
export type SqlArgument =
  | { kind: 'literal'; value: string | null }
  | { kind: 'parameter'; /** From 1. */ index: number }
  | { kind: 'expression' }

/** One call of `set_config(name, value, is_local)`. */
export interface SetConfigCall {
  name: SqlArgument
  value: SqlArgument
  local: SqlArgument
}

const expression: SqlArgument = { kind: 'expression' }

/** The calls of set_config in a text, in order; casts to text and boolean are seen through. */
export function findSetConfigCalls(text: string): SetConfigCall[] {
  if (!/set_config/i.test(text)) return []
  const tokens = tokenize(text)
  const calls: SetConfigCall[] = []
  for (let at = 0; at < tokens.length; at++) {
    if (!isName(tokens[at], 'set_config') || tokens[at + 1]?.text !== '(') continue
    if (tokens[at - 1]?.text === '.' && !isName(tokens[at - 2], 'pg_catalog')) continue
    const [name, value, local] = readArguments(tokens, at + 2)
    calls.push({ name: name ?? expression, value: value ?? expression, local: local ?? expression })
  }
  return calls
}

function isName(token: Token | undefined, name: string): boolean {
  return (token?.kind === 'word' || token?.kind === 'quotedIdentifier') && token.value === name
}

function readArguments(tokens: readonly Token[], from: number): SqlArgument[] {
  const found: SqlArgument[] = []
  let depth = 0
  let start = from
  for (let at = from; at < tokens.length; at++) {
    const { text } = tokens[at] as Token
    if (text === '(' || text === '[') depth++
    else if (depth > 0 && (text === ')' || text === ']')) depth--
    else if (depth === 0 && (text === ',' || text === ')')) {
      found.push(readArgument(tokens.slice(start, at)))
      start = at + 1
      if (text === ')') break
    }
  }
  return found
}

function readArgument(tokens: readonly Token[]): SqlArgument {
  const cast = withoutCast(tokens)
  if (cast !== undefined) return readArgument(cast)
  const first = tokens[0]
  if (first === undefined) return expression
  if (first.text === '(' && closes(tokens, 0) === tokens.length - 1) return readArgument(tokens.slice(1, -1))
  if (tokens.length !== 1) return expression
  if (first.kind === 'parameter') return { kind: 'parameter', index: Number(first.text.slice(1)) }
  if (first.kind === 'string' && !/^[bx]/i.test(first.text)) return { kind: 'literal', value: first.value }
  if (first.kind === 'number') return { kind: 'literal', value: first.text }
  if (first.kind !== 'word') return expression
  if (first.value === 'null') return { kind: 'literal', value: null }
  return first.value === 'true' || first.value === 'false' ? { kind: 'literal', value: first.value } : expression
}

const transparentTypes: ReadonlySet<string> = new Set(['text', 'varchar', 'character varying', 'bool', 'boolean'])

/** What is cast by `x::type` or `CAST(x AS type)` where the type keeps the text as it is. */
function withoutCast(tokens: readonly Token[]): readonly Token[] | undefined {
  const last = tokens.length - 1
  if (isName(tokens[0], 'cast') && tokens[1]?.text === '(' && closes(tokens, 1) === last) {
    const as = tokens.findLastIndex((token) => token.kind === 'word' && token.value === 'as')
    return as > 1 && isTransparentType(tokens.slice(as + 1, last)) ? tokens.slice(2, as) : undefined
  }
  const operator = tokens.findLastIndex((token) => token.text === '::')
  return operator > 0 && isTransparentType(tokens.slice(operator + 1)) ? tokens.slice(0, operator) : undefined
}

function isTransparentType(tokens: readonly Token[]): boolean {
  const unqualified = isName(tokens[0], 'pg_catalog') && tokens[1]?.text === '.' ? tokens.slice(2) : tokens
  return transparentTypes.has(unqualified.map((token) => token.value).join(' '))
}

function closes(tokens: readonly Token[], opening: number): number {
  let depth = 0
  for (let at = opening; at < tokens.length; at++) {
    if (tokens[at]?.text === '(') depth++
    else if (tokens[at]?.text === ')' && --depth === 0) return at
  }
  return -1
}
