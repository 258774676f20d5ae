import { Redis } from 'ioredis'
import { reportToConsole } from './report.ts'
import type { Report } from './report.ts'

export interface RedisConnectionOptions {
  /** `redis://user:password@host:6379` */
  readonly url: string
  /** How long one command may take in milliseconds, the connection made anew included. @default 1000 */
  readonly timeoutMs?: number
  /** Is told when the connection is lost, and of each attempt to make it anew that fails. @default the console */
  readonly report?: Report
}

/** A connection that is made anew for as long as it is wanted. Commands wait for it, and fail when their time is up. */
export interface RedisConnection {
  readonly commands: Redis
  /** Whether there is none at the moment, though there was, or should be. */
  readonly isLost: boolean
  /** Ends it, after what has still to be sent. */
  close(): Promise<void>
}

export function connectRedis(options: RedisConnectionOptions): RedisConnection {
  const { url, timeoutMs = 1000, report = reportToConsole } = options
  const redis = new Redis(url, {
    commandTimeout: timeoutMs,
    // The time-out says when to give up, not a number of attempts.
    maxRetriesPerRequest: null,
    retryStrategy: (attempt) => Math.min(50 * attempt, 2000),
  })
  let isLost = false
  redis.on('ready', () => (isLost = false))
  redis.on('close', () => {
    if (!isLost)
      report('The connection to Redis is lost', new Error(`It was to ${redis.options.host}:${redis.options.port}.`))
    isLost = true
  })
  redis.on('error', (error) => report('Redis cannot be reached', error))
  return {
    commands: redis,
    get isLost() {
      return isLost
    },
    async close() {
      isLost = true
      if (redis.status === 'ready') await redis.quit().catch(() => {})
      redis.disconnect()
    },
  }
}
