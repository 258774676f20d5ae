import { tokenize } from './lexer.ts'
import type { Token } from './lexer.ts'

/** An argument as far as the text tells it; a literal's null is SQL's NULL. */
export type SqlArgument =
  | { kind: 'literal'; value: string | null }
  | { kind: 'parameter'; /** From 1. */ index: number }
  | { kind: 'expression' }

/** One call of a function. */
export interface FunctionCall {
  readonly name: string
  readonly args: readonly SqlArgument[]
  /** Where each argument stands. */
  readonly spans: readonly { readonly start: number; readonly end: number }[]
}

const textTypes: ReadonlySet<string> = new Set(['text', 'varchar', 'character varying', 'bool', 'boolean'])
/** Types whose casts leave a whole number what it is. */
export const integerTypes: ReadonlySet<string> = new Set(['integer', 'int', 'int4', 'int8', 'bigint'])

/** The calls of the server's own functions whose names `wanted` accepts, in order; casts to `transparent` types are seen through. */
export function findFunctionCalls(
  text: string,
  wanted: (name: string) => boolean,
  transparent: ReadonlySet<string> = textTypes,
): FunctionCall[] {
  const tokens = tokenize(text)
  const calls: FunctionCall[] = []
  for (const [at, token] of tokens.entries()) {
    if (!isName(token) || tokens[at + 1]?.text !== '(' || !wanted(token.value)) continue
    if (tokens[at - 1]?.text === '.' && tokens[at - 2]?.value !== 'pg_catalog') continue
    const groups = readArguments(tokens, at + 2)
    calls.push({
      name: token.value,
      args: groups.map((group) => readArgument(group, transparent)),
      spans: groups.map((group) => ({ start: group[0]?.start ?? 0, end: group.at(-1)?.end ?? 0 })),
    })
  }
  return calls
}

function isName(token: Token | undefined, name?: string): token is Token {
  if (token?.kind !== 'word' && token?.kind !== 'quotedIdentifier') return false
  return name === undefined || token.value === name
}

function readArguments(tokens: readonly Token[], from: number): Token[][] {
  const found: Token[][] = []
  let depth = 0
  let start = from
  for (let at = from; at < tokens.length; at++) {
    const { text } = tokens[at] as Token
    if (text === '(' || text === '[') depth++
    else if (depth > 0 && (text === ')' || text === ']')) depth--
    else if (depth === 0 && (text === ',' || text === ')')) {
      if (at > start) found.push(tokens.slice(start, at))
      start = at + 1
      if (text === ')') break
    }
  }
  return found
}

const expression: SqlArgument = { kind: 'expression' }

function readArgument(tokens: readonly Token[], transparent: ReadonlySet<string>): SqlArgument {
  const cast = withoutCast(tokens, transparent)
  if (cast !== undefined) return readArgument(cast, transparent)
  const first = tokens[0]
  if (first === undefined) return expression
  if (first.text === '(' && closes(tokens, 0) === tokens.length - 1)
    return readArgument(tokens.slice(1, -1), transparent)
  if (tokens.length !== 1) return expression
  if (first.kind === 'parameter') return { kind: 'parameter', index: Number(first.text.slice(1)) }
  if (first.kind === 'string' && !/^[bx]/i.test(first.text)) return { kind: 'literal', value: first.value }
  if (first.kind === 'number') return { kind: 'literal', value: first.text }
  if (first.kind !== 'word') return expression
  if (first.value === 'null') return { kind: 'literal', value: null }
  return first.value === 'true' || first.value === 'false' ? { kind: 'literal', value: first.value } : expression
}

/** What is cast by `x::type` or `CAST(x AS type)` where the type keeps the text as it is. */
function withoutCast(tokens: readonly Token[], transparent: ReadonlySet<string>): readonly Token[] | undefined {
  const last = tokens.length - 1
  if (isName(tokens[0], 'cast') && tokens[1]?.text === '(' && closes(tokens, 1) === last) {
    const as = tokens.findLastIndex((token) => token.kind === 'word' && token.value === 'as')
    return as > 1 && isOneOf(tokens.slice(as + 1, last), transparent) ? tokens.slice(2, as) : undefined
  }
  const operator = tokens.findLastIndex((token) => token.text === '::')
  return operator > 0 && isOneOf(tokens.slice(operator + 1), transparent) ? tokens.slice(0, operator) : undefined
}

function isOneOf(tokens: readonly Token[], types: ReadonlySet<string>): boolean {
  const unqualified = isName(tokens[0], 'pg_catalog') && tokens[1]?.text === '.' ? tokens.slice(2) : tokens
  return types.has(unqualified.map((token) => token.value).join(' '))
}

function closes(tokens: readonly Token[], opening: number): number {
  let depth = 0
  for (let at = opening; at < tokens.length; at++) {
    if (tokens[at]?.text === '(') depth++
    else if (tokens[at]?.text === ')' && --depth === 0) return at
  }
  return -1
}
