import { createHash, randomBytes } from 'node:crypto'
import {
  accessSync,
  constants,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Binaries } from './binaries.ts'
import { DamagedArchiveError, openClusterArchive, packCluster } from './cluster-archive.ts'
import type { ClusterArchive } from './cluster-archive.ts'
import { clusterFormat } from './cluster-settings.ts'

/** Clusters of one version in the user's cache: the fresh one (`base`) and images with a template in it. */
export interface ClusterCache {
  readonly folder: string
  /** Opens a cached cluster; one that is damaged or of another version is deleted, and `undefined` is the answer. */
  open(name: ClusterName): ClusterArchive | undefined
  /** Keeps a data folder. `false` when the cache cannot be written; a concurrent winner is as good as we. */
  store(name: ClusterName, dataFolder: string): Promise<boolean>
  /** Deletes a cluster that a server could not be started on. */
  discard(name: ClusterName): void
}

/** `base`, or an image by its key. */
export type ClusterName = 'base' | { readonly image: string }

/** How many images are kept: the most recently used. */
export const keptImages = 5

/**
 * The cache folder: the option, VIVARIUM_CACHE_DIR, or the user's own; where that cannot be written, one of ours among
 * the temporary files.
 */
export function findCacheFolder(option?: string, environment: NodeJS.ProcessEnv = process.env): string {
  const asked = option ?? environment['VIVARIUM_CACHE_DIR']
  if (asked !== undefined && asked !== '') return asked
  const xdg = environment['XDG_CACHE_HOME']
  const usual =
    process.platform === 'darwin'
      ? join(homedir(), 'Library', 'Caches')
      : xdg?.startsWith('/')
        ? xdg
        : join(homedir(), '.cache')
  const folder = join(usual, 'vivarium')
  if (canWrite(folder)) return folder
  const temporary = join(tmpdir(), `vivarium-cache-${process.geteuid?.() ?? 'user'}`)
  return canWrite(temporary) && lstatSync(temporary).uid === (process.geteuid?.() ?? 0) ? temporary : folder
}

function canWrite(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 })
    accessSync(folder, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The cache of clusters made by these binaries. */
export function openClusterCache(cacheFolder: string, binaries: Binaries): ClusterCache {
  const folder = join(cacheFolder, 'clusters', `${clusterFormat}-${binaries.id}`)
  const fileOf = (name: ClusterName): string =>
    join(folder, name === 'base' ? 'base.cluster' : `image-${fileKey(name.image)}.cluster`)
  const discard = (name: ClusterName): void => {
    try {
      rmSync(fileOf(name), { force: true })
    } catch {
      // Someone else's cache: it is theirs to repair, and the next store will fail quietly too.
    }
  }
  return {
    folder,
    discard,
    open: (name) => {
      let archive: ClusterArchive | undefined
      try {
        archive = openClusterArchive(fileOf(name))
      } catch (error) {
        if (error instanceof DamagedArchiveError) discard(name)
        return undefined
      }
      if (archive === undefined) return undefined
      if (archive.major !== binaries.major) {
        archive.close()
        discard(name)
        return undefined
      }
      markUsed(fileOf(name))
      return archive
    },
    store: async (name, dataFolder) => {
      if (!canWrite(folder)) return false
      const temporary = `${fileOf(name)}.${randomBytes(6).toString('hex')}.tmp`
      try {
        await packCluster(dataFolder, temporary)
        renameSync(temporary, fileOf(name))
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? ''
        if (['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT'].includes(code)) return false
        throw error
      } finally {
        rmSync(temporary, { force: true })
      }
      prune(folder)
      return true
    },
  }
}

/** A key becomes a file name; an unusual one its digest. */
function fileKey(key: string): string {
  return /^[\w.-]{1,80}$/.test(key) ? key : createHash('sha256').update(key).digest('hex')
}

function markUsed(file: string): void {
  try {
    const time = new Date()
    utimesSync(file, time, time)
  } catch {
    // A read-only cache is never pruned by us.
  }
}

function prune(folder: string): void {
  const hourAgo = Date.now() - 3_600_000
  const images: { file: string; used: number }[] = []
  for (const name of readdirSync(folder)) {
    const file = join(folder, name)
    const used = statSync(file, { throwIfNoEntry: false })?.mtimeMs
    if (used === undefined) continue
    if (name.endsWith('.tmp')) {
      if (used < hourAgo) rmSync(file, { force: true })
    } else if (name.startsWith('image-')) images.push({ file, used })
  }
  images.sort((a, b) => b.used - a.used)
  for (const { file } of images.slice(keptImages)) rmSync(file, { force: true })
}
