import { tokenize } from './lexer.ts'
import { findSetConfigCalls } from './set-config.ts'

/** What a routine's body does to the settings of whoever calls it. */
export interface RoutineSettings {
  /** It sets something, or may. */
  readonly sets: boolean
  /** Settings of the session that it makes, by their names. */
  readonly session: readonly string[]
}

/** Reads a body in any language that embeds SQL as PL/pgSQL does: its statements, and those in its strings. */
export function findRoutineSettings(body: string, depth = 0): RoutineSettings {
  const calls = findSetConfigCalls(body)
  const session = calls.flatMap(({ name, local }) =>
    name.kind === 'literal' &&
    name.value !== null &&
    local.kind === 'literal' &&
    /^(?:f|false)$/i.test(local.value ?? '')
      ? [name.value.toLowerCase()]
      : [],
  )
  const inner = depth < 4 ? stringsOf(body).map((text) => findRoutineSettings(text, depth + 1)) : []
  return {
    sets: calls.length > 0 || startsSet(body) || inner.some(({ sets }) => sets),
    session: [...new Set([...session, ...inner.flatMap((one) => one.session)])],
  }
}

function stringsOf(body: string): string[] {
  return tokenize(body).flatMap(({ kind, value }) => (kind === 'string' ? [value] : []))
}

const statementStarts: ReadonlySet<string> = new Set([';', 'begin', 'then', 'else', 'loop'])

/** SET or RESET as a statement: not that of an UPDATE. */
function startsSet(body: string): boolean {
  const tokens = tokenize(body)
  return tokens.some(({ kind, value }, at) => {
    if (kind !== 'word' || (value !== 'set' && value !== 'reset')) return false
    return at === 0 || statementStarts.has(tokens[at - 1]?.value ?? '')
  })
}
