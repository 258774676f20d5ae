import { checkedTtl } from './cache.ts'
import type { Cache } from './cache.ts'

export interface MemoryCacheOptions {
  /** Beyond so many, what has not been used for longest is given up. @default 10_000 */
  readonly maxKeys?: number
  /** The clock, in milliseconds. @default one that nobody can set */
  readonly now?: () => number
}

interface Entry {
  /** Changes with every deletion of the key. It is what tickets are made of. */
  readonly version: number
  /** Absent: only the deletion is remembered. */
  readonly cached?: { readonly text: string; readonly expiresAt: number }
}

/** A cache within this process, for a shop on one machine. */
export function createMemoryCache({ maxKeys = 10_000, now = () => performance.now() }: MemoryCacheOptions = {}): Cache {
  /** In the order of their last use. */
  const entries = new Map<string, Entry>()
  let deletions = 0
  /** The version of every key that has no entry: the latest that has been given up, so that its earlier tickets stay void. */
  let versionOfOthers = 0

  const versionOf = (key: string): number => entries.get(key)?.version ?? versionOfOthers

  function keep(key: string, entry: Entry): void {
    entries.delete(key)
    entries.set(key, entry)
    if (entries.size <= maxKeys) return
    const [unused, { version }] = entries.entries().next().value!
    entries.delete(unused)
    versionOfOthers = Math.max(versionOfOthers, version)
  }

  return {
    async read(key) {
      const entry = entries.get(key)
      const cached = entry?.cached
      const ticket = String(versionOf(key))
      if (cached === undefined || cached.expiresAt <= now()) return { value: undefined, ticket }
      keep(key, entry!)
      return { value: JSON.parse(cached.text), ticket }
    },

    async fill(key, value, { ticket, ttlMs }) {
      const expiresAt = now() + checkedTtl(ttlMs)
      const version = versionOf(key)
      if (ticket === String(version)) keep(key, { version, cached: { text: JSON.stringify(value), expiresAt } })
    },

    async delete(key) {
      keep(key, { version: ++deletions })
    },

    async close() {
      entries.clear()
    },
  }
}
