import { findRedisBinary } from '../../packages/vivarium/src/redis/server/find-binary.ts'
import type { Optional } from './describe-if-found.ts'

/**
 * The Redis that Vivarium would work on: the URL that names one, or the program it can start. For suites, and for the configuration of one
 * that is to run without Redis, too: `...(optionalRedis().found !== undefined && { redis: {} })`. @public
 */
export function optionalRedis(): Optional<string> {
  return { name: 'redis', found: process.env['VIVARIUM_REDIS_URL'] || installedRedis(), missing: noRedisFound }
}

/** What is said where there is none. */
export const noRedisFound = 'no redis-server and no valkey-server is on the PATH'

/** The server that is installed here, for tests that start one of their own. */
export function installedRedis(): string | undefined {
  try {
    return findRedisBinary()
  } catch {
    return undefined
  }
}
