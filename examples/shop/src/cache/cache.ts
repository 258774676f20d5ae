import type { Json } from '../json.ts'

export interface CacheRead {
  /** `undefined` when nothing is cached under the key. */
  readonly value: Json | undefined
  /** Permits to fill the key with what is read elsewhere from now on. */
  readonly ticket: string
}

export interface FillOptions {
  readonly ticket: string
  /** Milliseconds, an hour at most. */
  readonly ttlMs: number
}

/**
 * A cache of JSON values, the same for all instances of the shop that are given the same one. Where it is broken, each of these
 * throws.
 *
 * What was read from the database before an invalidation must not be cached after it, or it would be served until it expires. So
 * a read hands out a ticket, and deleting a key makes the tickets of the key void, whichever instance holds them.
 */
export interface Cache {
  read(key: string): Promise<CacheRead>
  /** Caches a value, unless the key was deleted since the ticket was handed out. */
  fill(key: string, value: Json, options: FillOptions): Promise<void>
  delete(key: string): Promise<void>
  close(): Promise<void>
}

/** No value may be cached for longer, in milliseconds: adapters forget that a key was deleted some time after this. */
export const longestTtlMs = 3_600_000

/** The TTL, where it is one; throws a `RangeError`. */
export function checkedTtl(ttlMs: number): number {
  if (Number.isInteger(ttlMs) && ttlMs > 0 && ttlMs <= longestTtlMs) return ttlMs
  throw new RangeError(`ttlMs is ${ttlMs}: it must be whole milliseconds, from 1 to ${longestTtlMs}.`)
}
