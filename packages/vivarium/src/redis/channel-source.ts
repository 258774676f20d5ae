import type { MessageSource } from '../core/message-source.ts'
import { openRedisClient } from './connection/client.ts'
import { parseRedisUrl } from './connection/target.ts'

/**
 * Channels of the sandbox's Redis, as a source of an inbox: each with its name as the topic.
 *
 * @example
 * ```ts
 * import { Redis } from 'ioredis'
 * import { expect } from 'vitest'
 * import { openInbox } from 'vivarium/pubsub'
 * import { redisChannels } from 'vivarium/redis'
 *
 * const redis = new Redis(process.env['REDIS_URL']!)
 * const inbox = await openInbox(redisChannels('notifications:1', 'notifications:2'))
 * await redis.publish('notifications:1', JSON.stringify({ title: 'Shipped' }))
 * await expect(inbox).toReceive({ title: 'Shipped' }, { topic: 'notifications:1' })
 * ```
 */
export function redisChannels(...channels: readonly [string, ...string[]]): MessageSource {
  return subscription('channel', 'SUBSCRIBE', channels)
}

/** Channels of the sandbox's Redis by glob patterns (`notifications:*`), each message with its channel's name as the topic. */
export function redisPatterns(...patterns: readonly [string, ...string[]]): MessageSource {
  return subscription('pattern', 'PSUBSCRIBE', patterns)
}

function subscription(noun: string, command: string, names: readonly string[]): MessageSource {
  return {
    name: `Redis ${noun} ${names.join(', ')}`,
    // Through the sandbox's own URL: what another one publishes, also one inside of it, has channels of its own.
    hearsOneSandbox: true,
    open: async ({ sandbox, deliver, ended }) => {
      const target = parseRedisUrl(sandbox.redis.url, `sandbox "${sandbox.title}"`)
      const client = await openRedisClient(target, undefined, ({ channel, payload }) =>
        deliver({ topic: channel.toString(), data: payload }),
      )
      void client.ended.then(() => ended(new Error('the connection to Redis was closed')))
      try {
        for (const name of names) await client.command(command, name)
      } catch (error) {
        await client.close()
        throw error
      }
      return () => client.close()
    },
  }
}
