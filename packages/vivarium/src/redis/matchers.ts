import {
  type CacheUsePattern,
  cacheUses,
  type CommandTrace,
  findCacheUses,
  type KeyPattern,
  type TtlPattern,
} from './cache-uses.ts'
import { describePattern, renderUses } from './render-uses.ts'

/** What an assertion came to: the protocol of `expect.extend` in Vitest and Jest. */
export interface CacheMatcherResult {
  readonly pass: boolean
  message(): string
}

/** Options of the cache matchers. */
export interface CacheUseOptions {
  /** Exactly so many times. @default at least once */
  times?: number
}

/** Options of `toHaveCacheSet`. */
export interface CacheSetOptions extends CacheUseOptions {
  /** Milliseconds until what was set expires, or an asymmetric matcher for it. @default whatever it is */
  ttlMs?: TtlPattern
}

/** Passes when a key was read and was there. */
export function toHaveCacheHit(trace: CommandTrace, key?: KeyPattern, options?: CacheUseOptions): CacheMatcherResult {
  return judge(trace, { kind: 'hit', key }, options)
}

/** Passes when a key was read and was not there. */
export function toHaveCacheMiss(trace: CommandTrace, key?: KeyPattern, options?: CacheUseOptions): CacheMatcherResult {
  return judge(trace, { kind: 'miss', key }, options)
}

/** Passes when a key was written. */
export function toHaveCacheSet(trace: CommandTrace, key?: KeyPattern, options?: CacheSetOptions): CacheMatcherResult {
  return judge(trace, { kind: 'set', key, ttlMs: options?.ttlMs }, options)
}

/** Passes when a key was deleted. */
export function toHaveCacheDelete(
  trace: CommandTrace,
  key?: KeyPattern,
  options?: CacheUseOptions,
): CacheMatcherResult {
  return judge(trace, { kind: 'delete', key }, options)
}

function judge(trace: CommandTrace, pattern: CacheUsePattern, { times }: CacheUseOptions = {}): CacheMatcherResult {
  if (!Array.isArray((trace as Partial<CommandTrace> | undefined)?.commands)) {
    throw new TypeError('The cache matchers take a sandbox, or what observe() resolved to.')
  }
  const uses = cacheUses(trace)
  const found = findCacheUses(uses, pattern)
  const pass = times === undefined ? found.length > 0 : found.length === times
  return {
    pass,
    message: () => {
      const wanted =
        times === undefined
          ? `${pass ? 'no' : 'a'} ${describePattern(pattern)}`
          : `${pass ? 'not ' : ''}${describePattern(pattern, times)}`
      const seen =
        found.length === 0 ? 'there was none' : `there ${found.length === 1 ? 'was 1' : `were ${found.length}`}`
      return renderUses(`Expected ${wanted}, and ${seen}.`, uses, found)
    },
  }
}

/**
 * The matchers, for `expect.extend`. The Vitest plugin has done it already.
 *
 * @example
 * ```ts
 * import { expect } from 'vitest'
 * import { cacheMatchers } from 'vivarium/redis'
 *
 * expect.extend(cacheMatchers)
 * ```
 */
export const cacheMatchers: Readonly<{
  toHaveCacheHit: typeof toHaveCacheHit
  toHaveCacheMiss: typeof toHaveCacheMiss
  toHaveCacheSet: typeof toHaveCacheSet
  toHaveCacheDelete: typeof toHaveCacheDelete
}> = { toHaveCacheHit, toHaveCacheMiss, toHaveCacheSet, toHaveCacheDelete }
