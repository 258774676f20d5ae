import { withDeadline } from '../../core/clock.ts'
import { openTogether, type OpenResources } from '../../core/lifecycle.ts'
import { formatPostgresUrl } from '../connection/target.ts'
import { readFacts } from '../gateway/open-world.ts'
import type { TemplateFacts } from '../gateway/template-facts.ts'
import { openLeasePool } from '../leases/lease-pool.ts'
import { openRun } from '../leases/open-run.ts'
import type { RunIdentity } from '../leases/run-identity.ts'
import { startEmbeddedServer } from '../server/embedded-server.ts'
import { connectExternalServer } from '../server/external-server.ts'
import type { PostgresServer } from '../server/postgres-server.ts'
import { buildTemplate, type Template } from '../template/build-template.ts'
import { hashMigrations } from '../template/hash-migrations.ts'
import type { Migrations } from '../template/migrations.ts'
import { shareConnections } from './connection-share.ts'
import type { ResolvedPostgres } from './options.ts'
import type { PostgresJoinInfo } from './worker.ts'

/** The Postgres part of a run, in the process that owns it. */
export interface PostgresHost {
  readonly joinInfo: PostgresJoinInfo
  /** Resolves with `SERVER_DIED` when the embedded server ended without having been asked to. */
  readonly lost: Promise<Error>
  /** Drops the run's databases and ends the server. Rejects with an `AggregateError` of everything that failed. */
  close(): Promise<void>
}

/** How a run is opened, besides what the user configures. */
export interface OpenHostOptions {
  /** Databases to make ahead, in the background: one for each worker that is about to ask for one. @default 0 */
  clones?: number
  /** How many processes will join: each gets an equal share of the connections. @default 1 */
  workers?: number
}

/** Finds or starts the server, builds the template and opens the run. What was opened is closed when a step fails. */
export function openPostgresHost(
  options: ResolvedPostgres,
  { clones, workers = 1 }: OpenHostOptions = {},
): Promise<PostgresHost> {
  return openTogether(async (opened) => {
    const migrations: Migrations = options.migrations ?? noMigrations
    const {
      server,
      template,
      lost = never,
    } = options.url === undefined
      ? await openEmbedded(options, migrations, opened)
      : await openExternal(options.url, options, migrations, opened)
    // Whoever reads the facts makes one more.
    const run = await openRun(server, template, { clones: clones === undefined ? 0 : Math.max(0, clones - 1) })
    const isLost = withinMs(lost)
    // With the server its databases are gone: there is nobody to ask for dropping them.
    opened.add('the run', async () => {
      if (await isLost(0)) return
      try {
        await run.close()
      } catch (error) {
        // A server that has just died takes its connections along before it is known to be dead.
        if (!(await isLost(lostIsToldMs))) throw error
      }
    })
    const connections = shareConnections(options.maxConnections, run.serverConnections, workers)
    return {
      joinInfo: {
        run: run.identity,
        serverUrl: maintenanceUrl(server),
        env: options.env,
        isolation: options.isolation,
        waitMs: options.waitMs,
        connections,
        warmClones: options.warmClones,
        nestAfterMs: options.nestAfterMs,
        // Read once here, not by each of many workers.
        facts: clones === undefined || clones === 0 ? undefined : await readFactsOf(run.identity),
      },
      lost,
      close: async () => {
        const failures = await opened.closeAll()
        if (failures.length > 0) throw new AggregateError(failures, 'Closing the Postgres run failed')
      },
    }
  })
}

/** How long a server's end may take to be told, once its connections have ended. Milliseconds. */
const lostIsToldMs = 2000

/** Asks whether a server is lost, or will be within some milliseconds. */
function withinMs(lost: Promise<Error>): (ms: number) => Promise<boolean> {
  const told = lost.then(() => true)
  return (ms) => withDeadline(told, ms, () => new Error('not lost')).catch(() => false)
}

async function readFactsOf(identity: RunIdentity): Promise<TemplateFacts> {
  await using leases = await openLeasePool(identity)
  return readFacts(await leases.acquire())
}

/** For tools and comparisons, which make databases of their own: the application's role may not. */
function maintenanceUrl({ kind, maintenance }: PostgresServer): string {
  // The embedded server's socket folder is the gateway's way in; people and tools get TCP.
  return formatPostgresUrl(kind === 'embedded' ? { ...maintenance, socketFolder: undefined } : maintenance)
}

/** An application that makes its own schema starts from an empty database: a template that nothing was done to. */
const noMigrations: Migrations = { run: () => undefined, inputs: [] }

interface ServerWithTemplate {
  readonly server: PostgresServer
  readonly template: Template
  readonly lost?: Promise<Error>
}

const never: Promise<Error> = new Promise(() => undefined)

async function openEmbedded(
  options: ResolvedPostgres,
  migrations: Migrations,
  opened: OpenResources,
): Promise<ServerWithTemplate> {
  // Images are kept per version: the hash need not hold it.
  const hash = await hashMigrations(migrations)
  const server = await startEmbeddedServer({ image: hash, version: options.version })
  opened.add('the embedded server', () => server.close())
  return { server, template: await buildTemplateOf(options, server, migrations, hash), lost: server.lost }
}

async function openExternal(
  url: string,
  options: ResolvedPostgres,
  migrations: Migrations,
  opened: OpenResources,
): Promise<ServerWithTemplate> {
  const server = await connectExternalServer(url)
  opened.add('the connection to the external server', () => server.close())
  const major = Math.floor(server.versionNumber / 10_000)
  const hash = await hashMigrations(migrations, { major, role: server.maintenance.user })
  return { server, template: await buildTemplateOf(options, server, migrations, hash) }
}

function buildTemplateOf(
  { env, migrationDeadlineMs }: ResolvedPostgres,
  server: PostgresServer,
  migrations: Migrations,
  hash: string,
): Promise<Template> {
  return buildTemplate(server, migrations, { hash, env, deadlineMs: migrationDeadlineMs })
}
