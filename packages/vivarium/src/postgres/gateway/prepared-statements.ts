/** How many statements of the application stay prepared on one real session. */
const defaultLimit = 500

/**
 * The statements that are prepared on one real session, by what makes two of them the same: text, parameter types,
 * search path and the state of the catalogue. Virtual connections share them. Least recently used ones go first.
 */
export class PreparedStatements {
  readonly #names = new Map<string, string>()
  readonly #limit: number
  #number = 0

  constructor(limit: number = defaultLimit) {
    this.#limit = limit
  }

  /** The real name, when such a statement is prepared. */
  find(key: string): string | undefined {
    const name = this.#names.get(key)
    if (name !== undefined) {
      this.#names.delete(key)
      this.#names.set(key, name)
    }
    return name
  }

  /** Gives a new statement its real name; `evicted` names are to be closed. */
  add(key: string): { name: string; evicted: readonly string[] } {
    const name = `vivarium_${this.#number++}`
    this.#names.set(key, name)
    const evicted: string[] = []
    for (const [oldKey, oldName] of this.#names) {
      if (this.#names.size <= this.#limit) break
      this.#names.delete(oldKey)
      evicted.push(oldName)
    }
    return { name, evicted }
  }

  forget(key: string): void {
    this.#names.delete(key)
  }

  /** Forgets all; the names are to be closed. */
  clear(): string[] {
    const names = [...this.#names.values()]
    this.#names.clear()
    return names
  }
}

export function statementKey(
  text: string,
  parameterTypes: readonly number[],
  searchPath: string,
  catalogueVersion: number,
): string {
  return `${catalogueVersion}|${searchPath}|${parameterTypes.join(',')}|${text}`
}
