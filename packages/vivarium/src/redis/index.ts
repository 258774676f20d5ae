/**
 * Redis, isolated for each test on one real server.
 *
 * @module
 */
export type { RedisOptions } from './component/options.ts'
export type { ObservedCommand } from '../core/interactions.ts'
