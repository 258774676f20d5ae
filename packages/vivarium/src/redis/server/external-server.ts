import { parseRedisUrl } from '../connection/target.ts'
import type { RedisServer } from './redis-server.ts'

/** A server that somebody else runs: only what stands behind a run's own prefix is ever written or removed there. */
export function useExternalServer(url: string): RedisServer {
  return {
    kind: 'external',
    target: parseRedisUrl(url, 'VIVARIUM_REDIS_URL or `redis.url`'),
    url,
    lost: new Promise(() => undefined),
    close: async () => undefined,
  }
}
