import { objectAt, type OptionsContext, refuseUnknownKeys, textAt } from '../../core/options.ts'

/** What Vivarium is to do about Redis. */
export interface RedisOptions {
  /**
   * URL of a server to use instead of one of our own: `redis://`, `rediss://` or `unix:///path`, with a database if it is not to be 0.
   * Only keys and channels behind the run's own prefix are touched there. `VIVARIUM_REDIS_URL` in the environment wins over it.
   */
  url?: string
  /** The environment variable that the application reads its URL from. It is only ever written. @default 'REDIS_URL' */
  env?: string
}

/** {@link RedisOptions} checked, with defaults and environment filled in. */
export interface ResolvedRedis {
  readonly url: string | undefined
  readonly env: string
}

const optionNames = ['url', 'env'] as const satisfies readonly (keyof RedisOptions)[]

/** Checks the `redis` options and completes them. Throws `CONFIG_INVALID` naming the option. */
export function resolveRedis(value: unknown, { source, environment }: OptionsContext): ResolvedRedis {
  const given = objectAt(value, 'redis', source)
  refuseUnknownKeys(given, optionNames, 'redis', source)
  const url = textAt(given.url, 'redis.url', source)
  return {
    // A variable that is set but empty means "not set".
    url: environment.VIVARIUM_REDIS_URL || url,
    env: textAt(given.env, 'redis.env', source) ?? 'REDIS_URL',
  }
}
