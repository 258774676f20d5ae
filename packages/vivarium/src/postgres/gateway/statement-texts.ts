import { classify } from '../sql/classify.ts'
import { replaceSpans } from '../sql/rewrite.ts'
import type { Replacement, RewrittenText } from '../sql/rewrite.ts'
import type { Statement } from '../sql/statement.ts'
import { isPlainSelect } from './changes-nothing.ts'
import { isolationShown } from './isolation-shown.ts'
import { sparingOwnBackend } from './own-backend.ts'

const cacheLimit = 1000
const longestCached = 10_000

const guardReaders = /default_transaction_read_only|pg_settings|\bshow\s+all\b|current_setting/i

/** What is known of a text. */
export interface KnownText {
  /** The text, as the one string that all who send it share. */
  readonly text: string
  readonly statements: readonly Statement[]
  readonly readsGuard: boolean
  /** One statement that reads, and names nothing that could do more; a view may hide what does. */
  readonly isPlainRead: boolean
}

/** Classified texts, the most recent ones: applications send the same few texts again and again. */
export class StatementTexts {
  readonly #cache = new Map<string, KnownText>()

  classify(text: string): readonly Statement[] {
    return this.know(text).statements
  }

  /** The text may read the setting that we use as a guard. */
  readsGuard(text: string): boolean {
    return this.know(text).readsGuard
  }

  know(text: string): KnownText {
    const known = this.#cache.get(text)
    if (known !== undefined) return known
    const statements = classify(text)
    const [only] = statements
    const readsGuard = guardReaders.test(text)
    // Ahead of one that reads the guard we set it.
    const mayBePlain = statements.length === 1 && only?.mayCallSetConfig === false && !readsGuard
    const made = { text, statements, readsGuard, isPlainRead: mayBePlain && isPlainSelect(text) }
    if (text.length <= longestCached) {
      if (this.#cache.size >= cacheLimit) this.#cache.delete(this.#cache.keys().next().value as string)
      this.#cache.set(text, made)
    }
    return made
  }
}

/** Kinds that never go to the server as they are. */
export function isVirtualKind(statement: Statement): boolean {
  switch (statement.kind) {
    case 'begin':
    case 'commit':
    case 'rollback':
    case 'savepoint':
    case 'release':
    case 'rollbackTo':
    case 'prepareTransaction':
    case 'commitPrepared':
    case 'rollbackPrepared':
    case 'setTransaction':
    case 'setSessionCharacteristics':
    case 'deallocateAll':
      return true
    case 'discard':
      return statement.what === 'all'
    default:
      return false
  }
}

/** The real name behind a client's name for a prepared statement; `undefined` leaves the name as it is. */
export type RealNames = (name: string) => string | undefined

/** What stands in place of parts of a statement, so that it answers as on a connection of its own, and spares ours. */
export function substitutes(statement: Statement): Replacement[] {
  const shown = isolationShown(statement)
  return statement.terminatesBackend ? [...shown, ...sparingOwnBackend(statement)] : shown
}

/** The text as it goes to the server, where that is not the client's own. */
export function rewriteStatement(text: string, statement: Statement, realNames: RealNames): RewrittenText | undefined {
  const replaced = substitutes(statement)
  return replaced.length > 0 ? replaceSpans(text, replaced) : withRealName(text, statement, realNames)
}

/** Puts real names where a statement names a prepared one: PREPARE, EXECUTE, DEALLOCATE. */
function withRealName(text: string, statement: Statement, realNames: RealNames): RewrittenText | undefined {
  if (statement.kind !== 'prepare' && statement.kind !== 'execute' && statement.kind !== 'deallocate') return undefined
  const real = realNames(statement.name)
  if (real === undefined) return undefined
  return replaceSpans(text, [{ ...statement.nameSpan, text: real }])
}
