import type { Cache } from './cache/cache.ts'
import { createMemoryCache } from './cache/memory-cache.ts'
import { openRedisCache } from './cache/redis-cache.ts'
import type { Config } from './config/config.ts'
import type { HealthCheck } from './http/health.ts'
import type { Mailer } from './mail/mailer.ts'
import { createSmtpMailer } from './mail/smtp-mailer.ts'
import type { PaymentGateway } from './payments/payment-gateway.ts'
import { createStripeGateway } from './payments/stripe-gateway.ts'
import { createMemoryPubSub } from './pub-sub/memory-pub-sub.ts'
import type { PubSub } from './pub-sub/pub-sub.ts'
import { openRedisPubSub } from './pub-sub/redis-pub-sub.ts'
import type { Report } from './report.ts'

/** What the shop has of the world outside. */
export interface Adapters {
  readonly payments: PaymentGateway
  readonly mailer: Mailer
  readonly cache: Cache
  readonly pubSub: PubSub
  /** Whether what is behind them can be reached. */
  readonly healthChecks: readonly HealthCheck[]
  close(): Promise<void>
}

/** The real ones. Without Redis, cache and messages are within this process. */
export function openAdapters({ redisUrl: url, smtpUrl, mailFrom, stripeKey }: Config, report: Report): Adapters {
  const mailer = createSmtpMailer({ url: smtpUrl, from: mailFrom })
  const cache = url === undefined ? createMemoryCache() : openRedisCache({ url, report })
  const pubSub = url === undefined ? createMemoryPubSub({ report }) : openRedisPubSub({ url, report })
  const redisCheck = { name: 'redis', check: async () => void (await cache.read('health')) }
  return {
    payments: createStripeGateway({ secretKey: stripeKey }),
    mailer,
    cache,
    pubSub,
    healthChecks: [{ name: 'mail', check: () => mailer.check() }, ...(url === undefined ? [] : [redisCheck])],
    async close() {
      mailer.close()
      await Promise.all([cache.close(), pubSub.close()])
    },
  }
}
