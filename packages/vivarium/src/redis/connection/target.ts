import { VivariumError } from '../../core/errors.ts'

/** Where a server is and how to log in. Plain data. */
export interface RedisTarget {
  readonly host: string
  readonly port: number
  /** A unix socket, which then is used instead. */
  readonly path?: string
  readonly tls?: boolean
  readonly username?: string
  readonly password?: string
  /** The database in which the sandboxes' keys are. */
  readonly database: number
}

/** Reads `redis://`, `rediss://` and `unix:///path` URLs. `source` says where the URL comes from. */
export function parseRedisUrl(url: string, source: string): RedisTarget {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const database = /^\/(\d+)$/.exec(parsed?.pathname ?? '')?.[1] ?? parsed?.searchParams.get('db') ?? '0'
  if (parsed === undefined || !['redis:', 'rediss:', 'unix:'].includes(parsed.protocol) || !/^\d+$/.test(database)) {
    throw new VivariumError('CONFIG_INVALID', {
      what: `The Redis URL of ${source} is not valid.`,
      seen: parsed === undefined ? 'something that is no URL' : `${parsed.protocol}//${parsed.host}${parsed.pathname}`,
      remedy:
        'Give it as redis://[[username]:password@]host[:port][/database], rediss://… for TLS, or unix:///path/of/the.socket.',
    })
  }
  const isSocket = parsed.protocol === 'unix:'
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1') || '127.0.0.1',
    port: parsed.port === '' ? 6379 : Number(parsed.port),
    ...(isSocket && { path: decodeURIComponent(parsed.pathname) }),
    ...(parsed.protocol === 'rediss:' && { tls: true }),
    ...(parsed.username !== '' && { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password !== '' && { password: decodeURIComponent(parsed.password) }),
    database: Number(database),
  }
}

/** The target as people read it, without a password. */
export function describeTarget({ host, port, path, database }: RedisTarget): string {
  return path ?? `${host}:${port}/${database}`
}
