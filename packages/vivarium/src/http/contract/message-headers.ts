import type { ContractHeaders } from './types.ts'

/** A message's headers by their names in small letters; several of one name are one value, as HTTP joins them. */
export class MessageHeaders {
  readonly #values: Map<string, string> = new Map()

  constructor(headers: ContractHeaders) {
    const pairs = Symbol.iterator in headers ? headers : Object.entries(headers)
    for (const [name, value] of pairs) {
      const key = name.toLowerCase()
      const before = this.#values.get(key)
      const separator = key === 'cookie' ? '; ' : ', '
      this.#values.set(key, before === undefined ? value : `${before}${separator}${value}`)
    }
  }

  get(name: string): string | undefined {
    return this.#values.get(name.toLowerCase())
  }
}
