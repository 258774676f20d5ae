import { VivariumError } from '../../core/errors.ts'
import { openPostgresClient } from '../connection/client.ts'
import type { PostgresClient } from '../connection/client.ts'
import { PostgresServerError } from '../connection/server-error.ts'
import { describeTarget, formatPostgresUrl, parsePostgresUrl } from '../connection/target.ts'
import type { ConnectionTarget } from '../connection/target.ts'
import type { PostgresServer } from './postgres-server.ts'

/** Options of {@link connectExternalServer}. */
export interface ConnectExternalServerOptions {
  /** Milliseconds that a login may take. @default 10_000 */
  deadlineMs?: number
}

/** Someone else's server: only databases named `vivarium_*` are ever created or dropped on it. */
export interface ExternalServer extends PostgresServer {
  readonly kind: 'external'
  /** The URL's role is a superuser: row-level security does not apply to it. */
  readonly superuser: boolean
}

const oldestMajor = 14

/**
 * Checks that a server can be used: reachable, recent enough, no pooler between, and the role may create databases.
 *
 * @throws VivariumError CONFIG_INVALID, SERVER_UNREACHABLE, SERVER_LOGIN_REFUSED, SERVER_TOO_OLD, SERVER_POOLED,
 * SERVER_CREATEDB_MISSING; no message shows the password
 */
export async function connectExternalServer(
  url: string,
  options: ConnectExternalServerOptions = {},
): Promise<ExternalServer> {
  const target = parsePostgresUrl(url)
  await using client = await login(target, options)
  requireVersion(client, target)
  await refusePooler(client, target)
  const { versionNumber, superuser } = await requireRights(client, target)
  const application = (database: string): ConnectionTarget => ({ ...target, database })
  const close = (): Promise<void> => Promise.resolve()
  return {
    kind: 'external',
    versionNumber,
    superuser,
    maintenance: target,
    application,
    applicationUrl: (database) => formatPostgresUrl(application(database)),
    saveImage: () => Promise.resolve(),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function login(target: ConnectionTarget, options: ConnectExternalServerOptions): Promise<PostgresClient> {
  try {
    return await openPostgresClient(target, options)
  } catch (error) {
    // Only what the server answers to a login, and what our side of it lacks: the rest already says where and why.
    const refused = error instanceof PostgresServerError && /^(28|3D|42501)/.test(error.code)
    const incomplete = error instanceof VivariumError && /asks for a password/.test(error.seen ?? '')
    if (refused || incomplete) {
      throw new VivariumError('SERVER_LOGIN_REFUSED', {
        what: `The server refused the login to ${describeTarget(target)}.`,
        seen: incomplete ? error.seen : (error as Error).message,
        remedy: 'Check user, password and database of the URL; special characters are to be percent-encoded.',
        cause: error,
      })
    }
    if (error instanceof PostgresServerError) {
      throw new VivariumError('SERVER_UNREACHABLE', {
        what: `The server did not let us in to ${describeTarget(target)}.`,
        seen: error.message,
        remedy: 'See what the server says: it may be starting, shutting down, or out of connections.',
        cause: error,
      })
    }
    throw error
  }
}

function requireVersion(client: PostgresClient, target: ConnectionTarget): void {
  const version = client.parameters.get('server_version') ?? ''
  if (Number.parseInt(version, 10) >= oldestMajor) return
  throw new VivariumError('SERVER_TOO_OLD', {
    what: `PostgreSQL ${oldestMajor} or later is needed on ${target.host}:${target.port}.`,
    seen: `server_version ${version || 'not reported'}`,
    remedy: 'Name another server in VIVARIUM_POSTGRES_URL, or none: then one that comes with npm packages is started.',
  })
}

/** A pooler answers the login with a process number of its own, and may hand each statement to another session. */
async function refusePooler(client: PostgresClient, target: ConnectionTarget): Promise<void> {
  const seen: string[] = []
  for (let round = 0; round < 2; round++) {
    const rows = await client.query('SELECT pg_catalog.pg_backend_pid() AS pid')
    seen.push(String(rows[0]?.['pid']))
  }
  if (seen.every((pid) => pid === String(client.processId))) return
  throw new VivariumError('SERVER_POOLED', {
    what: `There is a connection pooler between us and the server on ${target.host}:${target.port}.`,
    seen: `the login named process ${client.processId}, statements ran in ${seen.join(' and ')}`,
    remedy: 'Give the URL of the server itself: leases are locks that a session holds, and a pooler shares sessions.',
  })
}

async function requireRights(
  client: PostgresClient,
  target: ConnectionTarget,
): Promise<{ versionNumber: number; superuser: boolean }> {
  const [row] = await client.query(`
    SELECT current_setting('server_version_num') AS version, rolsuper, rolcreatedb, pg_catalog.pg_is_in_recovery() AS standby
      FROM pg_catalog.pg_roles WHERE rolname = current_user`)
  const superuser = row?.['rolsuper'] === 't'
  const problem =
    row?.['standby'] === 't'
      ? 'the server is a read-only standby'
      : superuser || row?.['rolcreatedb'] === 't'
        ? undefined
        : `role "${target.user}" has neither CREATEDB nor SUPERUSER`
  if (problem === undefined) return { versionNumber: Number(row?.['version']), superuser }
  throw new VivariumError('SERVER_CREATEDB_MISSING', {
    what: `No database can be created on ${target.host}:${target.port} as "${target.user}".`,
    seen: problem,
    remedy: `Grant it (ALTER ROLE "${target.user}" CREATEDB), or name another role or server in VIVARIUM_POSTGRES_URL. Only databases named vivarium_* are created or dropped.`,
  })
}
