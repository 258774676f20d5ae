import { randomBytes } from 'node:crypto'
import { VivariumError } from '../../core/errors.ts'
import { openPostgresClient, quoteLiteral } from '../connection/client.ts'
import { formatPostgresUrl } from '../connection/target.ts'
import type { ConnectionTarget } from '../connection/target.ts'
import { findBinaries } from './binaries.ts'
import type { ClusterName } from './cluster-cache.ts'
import { findCacheFolder, openClusterCache } from './cluster-cache.ts'
import { launchCluster } from './launch.ts'
import type { LaunchedCluster } from './launch.ts'
import { readLogTail } from './postmaster.ts'
import type { PostgresServer } from './postgres-server.ts'
import { listRunPlaces } from './run-folder.ts'
import type { RunPlace } from './run-folder.ts'
import { makeScramVerifier } from './scram-verifier.ts'
import { findServerUser } from './server-user.ts'
import { sweepDeadRuns } from './sweep.ts'

/** Options of {@link startEmbeddedServer}. */
export interface StartEmbeddedServerOptions {
  /** Start from this cached image where it exists, else from a fresh cluster. */
  image?: string
  /** @default VIVARIUM_CACHE_DIR, else `vivarium` in the user's cache folder */
  cacheFolder?: string
  /** The PostgreSQL version wanted, e.g. `18`; the installed package must be of it. @default whichever is installed */
  version?: string
  /** Milliseconds that the server may take to accept connections. @default 30_000 */
  deadlineMs?: number
  /** `<os>-<cpu>` of the package with the binaries. @default this machine's */
  platform?: string
  /** The folder `native` of a platform package, where it is not an installed one. */
  nativeFolder?: string
  /** Where the data may live, in order of preference. @default /dev/shm, then the temporary folder */
  places?: readonly RunPlace[]
  /** Bytes that must be free beside the data. @default 640 MB in memory, 384 MB on disk */
  minimumFreeBytes?: number
  /** Chooses the TCP port. @default a free one */
  pickPort?: () => Promise<number>
}

/** A server of our own, on data that lives as long as it does. */
export interface EmbeddedServer extends PostgresServer {
  readonly kind: 'embedded'
  /** Whether the image asked for was there. */
  readonly startedFromImage: boolean
  /** Resolves with the reason when the server ended without having been asked to. */
  readonly lost: Promise<Error>
  /** The folder with data, socket and log; gone after `close()`. */
  readonly runFolder: string
}

const superuser = 'postgres'
const applicationRole = 'vivarium'

/**
 * Starts PostgreSQL from the installed platform package, on a cached cluster. It ends with `close()`, and with this
 * process however that ends.
 *
 * @throws VivariumError SERVER_BINARIES_MISSING, SERVER_USER_MISSING, SERVER_SPACE_EXHAUSTED, SERVER_PORT_TAKEN,
 * SERVER_START_FAILED, SERVER_START_TIMEOUT
 */
export async function startEmbeddedServer(options: StartEmbeddedServerOptions = {}): Promise<EmbeddedServer> {
  const user = findServerUser()
  const cacheFolder = findCacheFolder(options.cacheFolder)
  const binaries = await findBinaries({ ...options, user, cacheFolder })
  const cache = openClusterCache(cacheFolder, binaries)
  const places = options.places ?? listRunPlaces()
  const sweeping = sweepDeadRuns(places, user)
  const password = randomBytes(18).toString('hex')
  const verifier = makeScramVerifier(password)

  const sources: ClusterName[] = options.image === undefined ? ['base'] : [{ image: options.image }, 'base']
  for (const source of [...sources, undefined]) {
    const archive = source === undefined ? undefined : cache.open(source)
    if (source !== undefined && archive === undefined) continue
    try {
      const cluster = await launchCluster({ ...options, user, binaries, cache, places, archive })
      try {
        const versionNumber = await prepareRoles(superuserTarget(cluster, password), verifier)
        await sweeping
        return openEmbeddedServer(cluster, { password, versionNumber, startedFromImage: typeof source === 'object' })
      } catch (error) {
        await cluster.close()
        throw error
      }
    } catch (error) {
      // A cached cluster that no server starts on is not worth keeping; the next source is a fresh start.
      const damaged = !(error instanceof VivariumError) || error.code === 'SERVER_START_FAILED'
      if (source === undefined || !damaged) throw error
      cache.discard(source)
    } finally {
      archive?.close()
    }
  }
  throw new Error('unreachable: the last source either starts or throws')
}

/** Sets this run's passwords. The statements are the same for a fresh cluster and an image. */
async function prepareRoles(target: ConnectionTarget, verifier: string): Promise<number> {
  await using client = await openPostgresClient(target)
  const rows = await client.query(`
    DO $$ BEGIN
      IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '${applicationRole}') THEN
        CREATE ROLE ${applicationRole} LOGIN NOSUPERUSER NOCREATEDB CREATEROLE;
      END IF;
    END $$;
    ALTER ROLE ${applicationRole} PASSWORD ${quoteLiteral(verifier)};
    ALTER ROLE ${superuser} PASSWORD ${quoteLiteral(verifier)};
    SELECT current_setting('server_version_num') AS version`)
  return Number(rows[0]?.['version'])
}

function superuserTarget(cluster: LaunchedCluster, password: string): ConnectionTarget {
  return {
    host: '127.0.0.1',
    port: cluster.port,
    socketFolder: cluster.folder,
    user: superuser,
    password,
    database: 'postgres',
    parameters: {},
  }
}

interface EmbeddedServerState {
  readonly password: string
  readonly versionNumber: number
  readonly startedFromImage: boolean
}

function openEmbeddedServer(cluster: LaunchedCluster, state: EmbeddedServerState): EmbeddedServer {
  let saving: Promise<void> = Promise.resolve()
  let closing: Promise<void> | undefined
  const lost = cluster.lost.then(
    (ended) =>
      new VivariumError('SERVER_DIED', {
        what: 'The embedded PostgreSQL server ended while it was in use.',
        seen: `${ended}; the end of its log:\n    ${readLogTail(cluster.run)}`,
        remedy:
          'Run again. If it happens again, see whether memory ran out, or name a running server in VIVARIUM_POSTGRES_URL.',
      }),
  )
  const application = (database: string): ConnectionTarget => ({
    ...superuserTarget(cluster, state.password),
    user: applicationRole,
    database,
  })
  const close = (): Promise<void> => {
    closing ??= saving.catch(() => {}).then(() => cluster.close())
    return closing
  }
  return {
    kind: 'embedded',
    versionNumber: state.versionNumber,
    startedFromImage: state.startedFromImage,
    lost,
    runFolder: cluster.folder,
    get maintenance() {
      return superuserTarget(cluster, state.password)
    },
    application,
    applicationUrl: (database) => formatPostgresUrl({ ...application(database), socketFolder: undefined }),
    saveImage: async (key) => {
      if (closing !== undefined) {
        throw new VivariumError('VIVARIUM_CLOSED', {
          what: `The image "${key}" was not saved: the embedded server is closed.`,
          remedy: 'Save images before closing.',
        })
      }
      const previous = saving
      saving = previous.catch(() => {}).then(() => cluster.save({ image: key }))
      await saving
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
