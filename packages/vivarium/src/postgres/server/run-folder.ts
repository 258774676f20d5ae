import { chmodSync, chownSync, mkdtempSync, realpathSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VivariumError } from '../../core/errors.ts'
import { noteOwner } from '../../machine/run-owner.ts'
import { canReach } from './server-user.ts'
import type { ServerUser } from './server-user.ts'

/** A run's own folder: the data folder, the socket, the log, and who it belongs to. */
export interface RunFolder {
  readonly path: string
  readonly data: string
  readonly log: string
}

/** Where run folders may be made. */
export interface RunPlace {
  readonly folder: string
  /** Its files take memory. */
  readonly memory: boolean
}

/** What run folders are called, so that the next run finds what a dead one left. */
export const runPrefix = 'vivarium-run-'

const tmpfsMagic = 0x01021994
const megabyte = 1 << 20
// A clone takes 8 MB and more, WAL up to 256 MB.
const memoryReserve = 640 * megabyte
const diskReserve = 384 * megabyte
// Unix socket paths end at 104 bytes on macOS and 108 on Linux.
const longestSocketFolder = 100 - '/.s.PGSQL.65535'.length

/** The places in order of preference: memory first, then the temporary folder, then the ones that every system has. */
export function listRunPlaces(): RunPlace[] {
  const places: RunPlace[] = []
  if (process.platform === 'linux') {
    try {
      places.push({ folder: '/dev/shm', memory: Number(statfsSync('/dev/shm').type) === tmpfsMagic })
    } catch {
      // Not every container has it.
    }
  }
  for (const folder of [tmpdir(), '/tmp', '/var/tmp']) {
    if (!places.some((place) => place.folder === folder)) places.push({ folder, memory: false })
  }
  return places
}

/** Options of {@link createRunFolder}. */
export interface CreateRunFolderOptions {
  places: readonly RunPlace[]
  user: ServerUser | undefined
  /** Bytes of the data folder to come. */
  size: number
  /** Bytes that must be free beyond `size`. @default 640 MB in memory, 384 MB on disk */
  minimumFreeBytes?: number
}

/**
 * Makes a run folder in the first place that has room and that the server's user can reach.
 *
 * @throws VivariumError SERVER_SPACE_EXHAUSTED
 */
export function createRunFolder(options: CreateRunFolderOptions): RunFolder {
  const problems: string[] = []
  for (const place of options.places) {
    const problem = findProblem(place, options)
    if (problem !== undefined) {
      problems.push(`${place.folder}: ${problem}`)
      continue
    }
    try {
      return makeFolder(place.folder, options.user)
    } catch (error) {
      problems.push(`${place.folder}: ${(error as Error).message}`)
    }
  }
  throw spaceExhausted(problems.join('; '))
}

/** The error for a place that turned out to be full. */
export function spaceExhausted(seen: string, cause?: unknown): VivariumError {
  return new VivariumError('SERVER_SPACE_EXHAUSTED', {
    what: "There is no room for the embedded server's data.",
    seen,
    remedy:
      'Free some space, or point TMPDIR to a folder with room (in a container, --shm-size=1g also helps), or name a running server in VIVARIUM_POSTGRES_URL.',
    cause,
  })
}

function findProblem(place: RunPlace, options: CreateRunFolderOptions): string | undefined {
  const wanted = options.size + (options.minimumFreeBytes ?? (place.memory ? memoryReserve : diskReserve))
  try {
    const { bavail, bsize } = statfsSync(place.folder)
    const free = bavail * bsize
    if (free < wanted) return `${inMegabytes(free)} MB free, ${inMegabytes(wanted)} MB wanted`
  } catch (error) {
    return (error as Error).message
  }
  // What a container may use can be less than what its memory-backed folder promises.
  if (place.memory && process.availableMemory() < 2 * wanted) {
    return `${inMegabytes(process.availableMemory())} MB of memory available, ${inMegabytes(2 * wanted)} MB wanted`
  }
  if (!canReach(place.folder, options.user, 'execute')) return 'the server user cannot reach it'
  return undefined
}

function makeFolder(parent: string, user: ServerUser | undefined): RunFolder {
  // Real paths, because a server's working directory is compared with them.
  const path = mkdtempSync(join(realpathSync(parent), runPrefix))
  try {
    if (Buffer.byteLength(path) > longestSocketFolder) throw new Error('its path is too long for a unix socket')
    noteOwner(path)
    chmodSync(path, 0o700)
    if (user !== undefined) chownSync(path, user.uid, user.gid)
    return { path, data: join(path, 'data'), log: join(path, 'server.log') }
  } catch (error) {
    rmSync(path, { recursive: true, force: true })
    throw error
  }
}

function inMegabytes(bytes: number): number {
  return Math.round(bytes / megabyte)
}
