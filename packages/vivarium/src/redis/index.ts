/**
 * Redis, isolated for each test on one real server; what was done with the cache, and matchers for it.
 *
 * @module
 */
export type { RedisOptions } from './component/options.ts'
export { cacheMatchers } from './matchers.ts'
export type { CacheMatcherResult, CacheSetOptions, CacheUseOptions } from './matchers.ts'
export { redisChannels, redisPatterns } from './channel-source.ts'
export { cacheUses } from './cache-uses.ts'
export type { CacheUse, CacheUseKind, CommandTrace, KeyPattern, TtlPattern } from './cache-uses.ts'
export type { ObservedCommand } from '../core/interactions.ts'
