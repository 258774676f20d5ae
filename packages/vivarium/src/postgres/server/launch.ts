import { rm } from 'node:fs/promises'
import { VivariumError } from '../../core/errors.ts'
import type { Binaries } from './binaries.ts'
import type { ClusterArchive } from './cluster-archive.ts'
import type { ClusterCache, ClusterName } from './cluster-cache.ts'
import { writeSettings } from './cluster-settings.ts'
import { findFreePort } from '../../machine/free-port.ts'
import { initializeCluster } from './initdb.ts'
import { PortTakenError, startPostmaster } from './postmaster.ts'
import type { Postmaster } from './postmaster.ts'
import { createRunFolder, spaceExhausted } from './run-folder.ts'
import type { RunFolder, RunPlace } from './run-folder.ts'
import type { ServerUser } from './server-user.ts'
import { startWatchdog } from './watchdog.ts'

/** Options of {@link launchCluster}. */
export interface LaunchClusterOptions {
  binaries: Binaries
  cache: ClusterCache
  user: ServerUser | undefined
  places: readonly RunPlace[]
  /** The cluster to start from; without one a fresh one is made, and kept in the cache as `base`. */
  archive: ClusterArchive | undefined
  minimumFreeBytes?: number
  pickPort?: () => Promise<number>
  deadlineMs?: number
}

/** A cluster in its run folder with a server on it. */
export interface LaunchedCluster {
  readonly run: RunFolder
  readonly folder: string
  /** May change when the cluster is saved. */
  readonly port: number
  /** Resolves, with how it ended, when the server ended by itself. */
  readonly lost: Promise<string>
  /** Stops the server, keeps the cluster in the cache, and starts it again. */
  save(name: ClusterName): Promise<void>
  /** Ends the server and removes the folder. */
  close(): Promise<void>
}

interface RunningServer {
  readonly postmaster: Postmaster
  readonly port: number
}

// What initdb makes is 31 MB.
const freshSize = 48 << 20
const portAttempts = 5

/** Lays out a data folder and starts a server on it; nothing is left when that fails. */
export async function launchCluster(options: LaunchClusterOptions): Promise<LaunchedCluster> {
  const { user, archive } = options
  const run = createRunFolder({ ...options, size: archive?.size ?? freshSize })
  let running: RunningServer | undefined
  let releaseWatchdog = async (): Promise<void> => {}
  let state: 'starting' | 'running' | 'saving' | 'closed' = 'starting'
  let reportLoss: (how: string) => void
  const lost = new Promise<string>((resolve) => {
    reportLoss = resolve
  })

  const watch = (server: RunningServer): RunningServer => {
    void server.postmaster.exited.then((how) => {
      if (state === 'running' && running === server) reportLoss(how)
    })
    running = server
    state = 'running'
    return server
  }

  const close = async (): Promise<void> => {
    state = 'closed'
    await running?.postmaster.stop('immediate')
    await rm(run.path, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 }).catch(() => {
      // The watchdog tries again, and after it the next run.
    })
    await releaseWatchdog()
  }

  try {
    // Before the first process that could outlive us.
    releaseWatchdog = (await startWatchdog(run, user)).release
    watch(await (archive === undefined ? startFresh(options, run) : startFromArchive(options, run, archive)))
  } catch (error) {
    await close()
    throw isFull(error) ? spaceExhausted((error as Error).message, error) : error
  }

  return {
    run,
    folder: run.path,
    get port() {
      return running?.port ?? 0
    },
    lost,
    close,
    save: async (name) => {
      if (running === undefined || state !== 'running') throw new Error(`the server is ${state}`)
      const { port, postmaster } = running
      state = 'saving'
      const stored = await settle(async () => {
        await postmaster.stop('fast')
        await options.cache.store(name, run.data)
      })
      try {
        // Whether or not it could be kept: the server is needed either way.
        watch(await startOnPort(options, run, { preferred: port }))
      } catch (error) {
        reportLoss(`it did not start again after it was saved: ${(error as Error).message}`)
        throw error
      }
      if (stored.error !== undefined) throw stored.error
    },
  }
}

async function startFresh(options: LaunchClusterOptions, run: RunFolder): Promise<RunningServer> {
  const { binaries, user, cache, deadlineMs = 30_000 } = options
  await initializeCluster(binaries, run, { user, deadlineMs })
  await cache.store('base', run.data)
  return startOnPort(options, run)
}

async function startFromArchive(
  options: LaunchClusterOptions,
  run: RunFolder,
  archive: ClusterArchive,
): Promise<RunningServer> {
  const preferred = await (options.pickPort ?? findFreePort)()
  let starting: Promise<RunningServer> | undefined
  try {
    // The server starts while the files of databases are still being written: it looks into none of them before
    // something connects.
    await archive.unpack(run.data, options.user, {
      onEssentials: () => {
        starting = startOnPort(options, run, { preferred })
        starting.catch(() => {})
      },
      // Whether it started is seen below.
      beforeCaches: async () => {
        await starting?.catch(() => undefined)
      },
    })
  } catch (error) {
    await starting?.then(
      (server) => server.postmaster.stop('immediate'),
      () => {},
    )
    throw error
  }
  return starting ?? startOnPort(options, run, { preferred })
}

async function settle(action: () => Promise<void>): Promise<{ error?: Error }> {
  try {
    await action()
    return {}
  } catch (error) {
    return { error: error instanceof Error ? error : new Error(String(error)) }
  }
}

/** A port that was free may be taken before the server binds it: tries several. */
async function startOnPort(
  options: LaunchClusterOptions,
  run: RunFolder,
  { preferred }: { preferred?: number } = {},
): Promise<RunningServer> {
  const { binaries, user, pickPort = findFreePort, deadlineMs = 30_000 } = options
  const tried: number[] = []
  let cause: unknown
  for (let attempt = 0; attempt < portAttempts; attempt++) {
    const port = attempt === 0 && preferred !== undefined ? preferred : await pickPort()
    tried.push(port)
    writeSettings(run.data, { major: binaries.major, port, socketFolder: run.path, user })
    const postmaster = startPostmaster(binaries, run, user)
    try {
      await postmaster.ready(deadlineMs)
      return { postmaster, port }
    } catch (error) {
      await postmaster.stop('immediate')
      if (!(error instanceof PortTakenError)) throw error
      cause = error
    }
  }
  throw new VivariumError('SERVER_PORT_TAKEN', {
    what: 'The embedded PostgreSQL server found no free TCP port on 127.0.0.1.',
    seen: `ports tried: ${tried.join(', ')}, each taken by another process`,
    remedy: 'See what holds the ports of this machine (ss -tlnp), then run again.',
    cause,
  })
}

function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')
}
