import { randomUUID } from 'node:crypto'
import type { Json } from '../json.ts'
import { connectRedis } from '../redis.ts'
import type { RedisConnectionOptions } from '../redis.ts'
import { checkedTtl, longestTtlMs } from './cache.ts'
import type { Cache } from './cache.ts'

/** What stands in Redis under a key: a value, which counts for as long as the key's version is what the ticket says. */
interface Entry {
  readonly ticket: string
  readonly value: Json
}

/** Longer than any value that was read before the deletion can be cached. */
const versionTtlMs = 24 * longestTtlMs
const neverDeleted = 'never deleted'

/** The braces put a key and its version on the same node of a cluster. */
const versionOf = (key: string): string => `{${key}}:version`

/** A cache in Redis, for a shop of many machines. */
export function openRedisCache(options: RedisConnectionOptions): Cache {
  const connection = connectRedis(options)
  const redis = connection.commands
  return {
    async read(key) {
      // A read is not worth waiting for: its value is in the database as well.
      if (connection.isLost) throw new Error('Redis cannot be reached.')
      const [text, version] = await redis.mget(key, versionOf(key))
      const ticket = version ?? neverDeleted
      const entry = text ? (JSON.parse(text) as Entry) : undefined
      return { value: entry?.ticket === ticket ? entry.value : undefined, ticket }
    },

    // It writes in any case: what is filled with a void ticket is there, and is not read. So no script is needed to compare.
    async fill(key, value, { ticket, ttlMs }) {
      await redis.set(key, JSON.stringify({ ticket, value } satisfies Entry), 'PX', checkedTtl(ttlMs))
    },

    async delete(key) {
      // With the new version the value counts no longer; deleting it as well saves its place.
      await Promise.all([redis.set(versionOf(key), randomUUID(), 'PX', versionTtlMs), redis.del(key)])
    },

    close: () => connection.close(),
  }
}
