import type { Statement } from '../sql/statement.ts'
import type { ClientStatement } from './client-statement.ts'

/** What a name of a prepared statement means: a real name that the text itself makes, or what the client had before. */
export type NameMeaning = { readonly madeAs: string } | 'from before' | undefined

/** What names of prepared statements mean at each place of a query text, of which nothing has run yet. */
export class TextNames {
  readonly #before: ReadonlyMap<string, ClientStatement>
  /** Real names of what the text has prepared; `undefined` for what it has given up. */
  readonly #changed = new Map<string, string | undefined>()
  #allGone = false

  constructor(before: ReadonlyMap<string, ClientStatement>) {
    this.#before = before
  }

  meaning(name: string): NameMeaning {
    if (this.#changed.has(name)) {
      const madeAs = this.#changed.get(name)
      return madeAs === undefined ? undefined : { madeAs }
    }
    return !this.#allGone && this.#before.has(name) ? 'from before' : undefined
  }

  /** A statement of the text will have run; `prepares` is the real name that it makes. */
  after(statement: Statement, prepares: string | undefined): void {
    if (statement.kind === 'prepare' && prepares !== undefined) this.#changed.set(statement.name, prepares)
    else if (statement.kind === 'deallocate') this.#changed.set(statement.name, undefined)
    else if (statement.kind === 'deallocateAll') {
      this.#changed.clear()
      this.#allGone = true
    }
  }
}
