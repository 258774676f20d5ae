import { describe } from 'vitest'
import { perSandbox } from 'vivarium'
import type { Cache } from '../../src/cache/cache.ts'
import { createMemoryCache } from '../../src/cache/memory-cache.ts'
import { openRedisCache } from '../../src/cache/redis-cache.ts'
import { createMemoryPubSub } from '../../src/pub-sub/memory-pub-sub.ts'
import type { PubSub } from '../../src/pub-sub/pub-sub.ts'
import { openRedisPubSub } from '../../src/pub-sub/redis-pub-sub.ts'
import type { Report } from '../../src/report.ts'

/** Where the shop keeps its cache and passes on its messages: within its process, or in Redis. */
export type Adapter = 'memory' | 'redis'

/** For tests that are not about it. `SHOP_ADAPTER=redis` runs them on Redis. */
export const usualAdapter: Adapter = process.env['SHOP_ADAPTER'] === 'redis' ? 'redis' : 'memory'

const redisIsMissing = { needs: 'redis', missing: 'no redis-server and no valkey-server is on the PATH' }

/**
 * Options of a `describe` that needs Redis. `REDIS_URL` is there when vivarium.config.ts has `redis`, which it has where there is one;
 * elsewhere the tests are reported as not run.
 */
export const onRedis = process.env['REDIS_URL'] === undefined ? { skip: true, meta: { notRun: redisIsMissing } } : {}

/** The same tests on both adapters. */
export function describeOnEachAdapter(title: string, body: (adapter: Adapter) => void): void {
  describe(`${title}, in memory`, () => body('memory'))
  describe(`${title}, in Redis`, onRedis, () => body('redis'))
}

/** Long enough for a machine that has much else to do: a command that is late must not become a test that fails. */
export const timeoutMs = 30_000

/** A cache; what is in this process would go on from test to test, so each test has its own. */
export function openCache(adapter: Adapter): Cache {
  const url = urlFor(adapter)
  return url === undefined ? perSandbox(() => createMemoryCache()) : openRedisCache({ url, timeoutMs })
}

export function openPubSub(adapter: Adapter, { report }: { readonly report?: Report } = {}): PubSub {
  const options = report && { report }
  const url = urlFor(adapter)
  return url === undefined
    ? perSandbox(() => createMemoryPubSub({ ...options }))
    : openRedisPubSub({ url, timeoutMs, ...options })
}

/** Where the tests on Redis are not run they are listed all the same, and connect to nothing. */
function urlFor(adapter: Adapter): string | undefined {
  return adapter === 'redis' ? process.env['REDIS_URL'] : undefined
}
