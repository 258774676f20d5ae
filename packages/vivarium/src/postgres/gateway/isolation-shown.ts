import { tokenize } from '../sql/lexer.ts'
import type { Replacement } from '../sql/rewrite.ts'
import type { Statement } from '../sql/statement.ts'
import { isolationSetting } from './transaction-modes.ts'

const askedFor = `nullif(pg_catalog.current_setting('${isolationSetting}', true), '')`
const level = `coalesce(${askedFor}, pg_catalog.current_setting('default_transaction_isolation'))`
const settingShown = `CASE WHEN ${askedFor} IS NULL THEN 'default_transaction_isolation' ELSE '${isolationSetting}' END`

/** A text asks for the isolation level, in one way or another. */
function asksIsolation(text: string): boolean {
  return /transaction_isolation|transaction\s+isolation\s+level/i.test(text)
}

/** SHOW of the isolation level: another statement runs in its place, whose answer is the same but for the tag. */
export function showsIsolation(statement: Statement): boolean {
  return statement.kind === 'show' && statement.name === 'transaction_isolation'
}

/**
 * What stands in place of a statement's questions for its isolation level, so that the level that was asked for is the
 * answer: the real session always says READ COMMITTED.
 */
export function isolationShown(statement: Statement): Replacement[] {
  if (!asksIsolation(statement.text)) return []
  if (showsIsolation(statement)) return [{ ...statement.span, text: `SELECT ${level} AS transaction_isolation` }]
  const tokens = tokenize(statement.text)
  const replacements: Replacement[] = []
  for (const [at, token] of tokens.entries()) {
    if (token.kind !== 'string' || token.value.toLowerCase() !== 'transaction_isolation') continue
    const isArgument = tokens[at - 1]?.text === '(' && tokens[at - 2]?.value === 'current_setting'
    if (!isArgument) continue
    const offset = statement.span.start
    replacements.push({ start: token.start + offset, end: token.end + offset, text: settingShown })
  }
  return replacements
}
