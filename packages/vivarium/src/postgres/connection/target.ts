import { VivariumError } from '../../core/errors.ts'

/** How TLS is negotiated with a server: libpq's `sslmode` values that we honour. */
export type TlsMode = 'disable' | 'prefer' | 'require' | 'verify-full'

/** Where and as whom to connect. Plain data, so that it can be handed to another process. */
export interface ConnectionTarget {
  readonly host: string
  readonly port: number
  /** Folder of a unix socket; used where it is set. `host` is the folder as well when there is no TCP beside it. */
  readonly socketFolder?: string
  readonly user: string
  readonly password?: string
  readonly database: string
  /** @default 'prefer' */
  readonly tls?: TlsMode
  /** Start-up parameters, e.g. `application_name`. */
  readonly parameters: Readonly<Record<string, string>>
}

const tlsModes: readonly string[] = ['disable', 'prefer', 'require', 'verify-full']

/**
 * Reads a `postgres://user:password@host:port/database?sslmode=…&application_name=…` URL.
 *
 * @throws VivariumError CONFIG_INVALID when it is not such a URL; the message never shows the password.
 */
export function parsePostgresUrl(url: string): ConnectionTarget {
  let parsed: URL
  try {
    // libpq's `user@/database?host=/folder` has no host, which this parser refuses behind a user.
    parsed = new URL(url.replace(/^(postgres(?:ql)?:\/\/[^/?#@]+@)(?=[/?]|$)/, '$1localhost'))
  } catch {
    // Not as the cause: it carries the whole text, password included.
    throw invalidUrl('it is not a URL')
  }
  if (parsed.protocol !== 'postgres:' && parsed.protocol !== 'postgresql:') {
    throw invalidUrl(`its scheme is "${parsed.protocol.replace(':', '')}"`)
  }
  const query = Object.fromEntries(parsed.searchParams)
  const { sslmode, host: hostParameter, port: portParameter, ...parameters } = query
  const socketFolder = hostParameter?.startsWith('/') ? hostParameter : undefined
  const user = decoded(parsed.username)
  if (sslmode !== undefined && !tlsModes.includes(sslmode)) throw invalidUrl(`its sslmode is "${sslmode}"`)
  return {
    host: socketFolder ?? (parsed.hostname.replace(/^\[(.*)\]$/, '$1') || hostParameter || 'localhost'),
    port: Number(parsed.port || portParameter || 5432),
    socketFolder,
    user: user || 'postgres',
    password: parsed.password === '' ? undefined : decoded(parsed.password),
    database: decoded(parsed.pathname.replace(/^\//, '')) || user || 'postgres',
    tls: sslmode as TlsMode | undefined,
    parameters,
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw invalidUrl('a percent sign in it is not followed by two hexadecimal digits of UTF-8')
  }
}

function invalidUrl(seen: string): VivariumError {
  return new VivariumError('CONFIG_INVALID', {
    what: 'A Postgres URL could not be read.',
    seen,
    remedy: 'Write it as postgres://user:password@host:port/database, special characters percent-encoded.',
  })
}

/** The target as a URL that every driver reads: always TCP unless the target only has a socket. */
export function formatPostgresUrl(target: ConnectionTarget): string {
  const password = target.password === undefined ? '' : `:${encodeURIComponent(target.password)}`
  const hasSocketOnly = target.host.startsWith('/')
  const host = hasSocketOnly ? 'localhost' : target.host.includes(':') ? `[${target.host}]` : target.host
  const query = new URLSearchParams(target.parameters)
  if (hasSocketOnly) query.set('host', target.host)
  if (target.tls !== undefined) query.set('sslmode', target.tls)
  const suffix = query.size === 0 ? '' : `?${query.toString()}`
  const address = `${encodeURIComponent(target.user)}${password}@${host}:${target.port}`
  return `postgres://${address}/${encodeURIComponent(target.database)}${suffix}`
}

/** The target for messages: no password. */
export function describeTarget(target: ConnectionTarget): string {
  const place = target.socketFolder === undefined ? `${target.host}:${target.port}` : target.socketFolder
  return `database "${target.database}" on ${place} as "${target.user}"`
}
