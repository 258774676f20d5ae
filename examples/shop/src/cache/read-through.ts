import type { ZodType } from 'zod'
import type { Json } from '../json.ts'
import type { Report } from '../report.ts'
import type { Cache } from './cache.ts'

export interface ReadThroughOptions<T> {
  readonly cache: Cache
  readonly ttlMs: number
  /** What does not fit is not served: it was cached by another version of the shop. */
  readonly schema: ZodType<T>
  readonly report: Report
}

/** Cache-aside: what is read from the database is cached, until it is invalidated or its time is up. */
export interface ReadThrough<T> {
  /** What is cached, else what `load` finds. Nothing found is not cached. */
  read(key: string, load: () => Promise<T | undefined>): Promise<T | undefined>
  /** To be called once the change that it is for is committed. */
  invalidate(key: string): Promise<void>
}

/**
 * A broken cache is reported, and does without itself: each reader loads, and what could not be invalidated is served until its
 * time is up.
 */
export function createReadThrough<T extends Json>(options: ReadThroughOptions<T>): ReadThrough<T> {
  const { cache, ttlMs, schema, report } = options
  /** What is being loaded, by key and ticket. */
  const loading = new Map<string, Promise<T | undefined>>()

  async function loadAndFill(key: string, ticket: string, load: () => Promise<T | undefined>): Promise<T | undefined> {
    const value = await load()
    if (value !== undefined) {
      await cache.fill(key, value, { ticket, ttlMs }).catch((error) => report(`${key} could not be cached`, error))
    }
    return value
  }

  return {
    async read(key, load) {
      const found = await cache.read(key).catch((error) => report(`${key} could not be read from the cache`, error))
      if (!found) return await load()
      const cached = schema.safeParse(found.value)
      if (cached.success) return cached.data

      // Simultaneous readers share one load, unless the key was invalidated between them: then their tickets differ, and
      // the second must not be given what the first may have read before the change.
      const flight = `${found.ticket} ${key}`
      const underWay = loading.get(flight)
      if (underWay) return await underWay
      const started = loadAndFill(key, found.ticket, load).finally(() => loading.delete(flight))
      loading.set(flight, started)
      return await started
    },

    async invalidate(key) {
      await cache.delete(key).catch((error) => report(`${key} could not be invalidated`, error))
    },
  }
}
