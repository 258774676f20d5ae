import {
  closeSync,
  fchownSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  writeSync,
  chownSync,
} from 'node:fs'
import { join } from 'node:path'
import { nextTurn } from '../../core/clock.ts'

// A cluster is about a thousand files. One archive file is renamed into place at once, stays readable while it is
// deleted, belongs to whoever made it, and is unpacked faster than `cp -a` copies a folder.
const magic = 'vivarium-cluster-1'
const trailerLength = magic.length + 8
const chunkLength = 1 << 20
const zeroPage: Buffer = Buffer.alloc(4096)

/** A packed file: path in the data folder, its size, and how much of it is stored (the rest is zeros). */
type PackedFile = readonly [path: string, size: number, stored: number]

interface ArchiveIndex {
  readonly major: number
  readonly folders: readonly string[]
  readonly files: readonly PackedFile[]
}

/** An opened archive of a data folder. */
export interface ClusterArchive {
  /** PostgreSQL's major version, from PG_VERSION. */
  readonly major: number
  /** Bytes of the unpacked data folder. */
  readonly size: number
  /**
   * Unpacks into `folder`, which must not exist. `onEssentials` is called as soon as a server can be started on it:
   * the files of databases follow, and nothing may connect before the promise resolves. `beforeCaches` is awaited before
   * the caches of the catalogue, which a starting server would remove.
   */
  unpack(folder: string, owner: { uid: number; gid: number } | undefined, steps?: UnpackSteps): Promise<void>
  close(): void
}

/** What happens while an archive is unpacked. */
export interface UnpackSteps {
  readonly onEssentials?: () => void
  readonly beforeCaches?: () => Promise<void>
}

/** The archive is not one, or not all of one. */
export class DamagedArchiveError extends Error {
  override readonly name: string = 'DamagedArchiveError'
}

/** Writes the data folder of a server that was shut down cleanly into one file. */
export async function packCluster(folder: string, file: string): Promise<void> {
  const folders: string[] = []
  const paths: string[] = []
  listFolder(folder, '', folders, paths)
  const surplus = surplusWalSegments(paths)
  const kept = paths.filter((path) => !surplus.has(path) && !isTransient(path))
  // Essentials first: a server starts without looking into a database. Last what it would remove as it starts.
  kept.sort((a, b) => turnOf(a) - turnOf(b))
  const files: PackedFile[] = []
  const output = openSync(file, 'wx', 0o644)
  try {
    let sinceTurn = 0
    for (const path of kept) {
      const content = readFileSync(join(folder, path))
      let stored = content.length
      while (stored >= 4096 && content.compare(zeroPage, 0, 4096, stored - 4096, stored) === 0) stored -= 4096
      writeAll(output, content, stored)
      files.push([path, content.length, stored])
      sinceTurn += content.length
      if (sinceTurn > 16 * chunkLength) {
        sinceTurn = 0
        await nextTurn()
      }
    }
    const major = Number.parseInt(readFileSync(join(folder, 'PG_VERSION'), 'utf8'), 10)
    const index = Buffer.from(JSON.stringify({ major, folders, files } satisfies ArchiveIndex))
    writeAll(output, index, index.length)
    const trailer = Buffer.alloc(trailerLength)
    trailer.writeBigUInt64BE(BigInt(index.length), 0)
    trailer.write(magic, 8, 'latin1')
    writeAll(output, trailer, trailer.length)
  } finally {
    closeSync(output)
  }
}

/**
 * Opens an archive; `undefined` when there is none.
 *
 * @throws DamagedArchiveError
 */
export function openClusterArchive(file: string): ClusterArchive | undefined {
  let input: number
  try {
    input = openSync(file, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const index = readIndex(input, file)
    return {
      major: index.major,
      size: index.files.reduce((sum, [, size]) => sum + Math.ceil(size / 4096) * 4096, 0),
      unpack: (folder, owner, steps = {}) => unpack(input, index, { folder, owner, ...steps }),
      close: () => closeSync(input),
    }
  } catch (error) {
    closeSync(input)
    throw error
  }
}

function readIndex(input: number, file: string): ArchiveIndex {
  const damaged = (seen: string): DamagedArchiveError => new DamagedArchiveError(`${file}: ${seen}`)
  const { size } = fstatSync(input)
  if (size < trailerLength) throw damaged('too short')
  const trailer = Buffer.alloc(trailerLength)
  readSync(input, trailer, 0, trailerLength, size - trailerLength)
  if (trailer.toString('latin1', 8) !== magic) throw damaged('its end is missing')
  const length = Number(trailer.readBigUInt64BE(0))
  const start = size - trailerLength - length
  if (start < 0) throw damaged('its index is longer than the file')
  const text = Buffer.alloc(length)
  readSync(input, text, 0, length, start)
  let index: ArchiveIndex
  try {
    index = JSON.parse(text.toString('utf8')) as ArchiveIndex
  } catch {
    throw damaged('its index is not readable')
  }
  const stored = index.files.reduce((sum, packed) => sum + packed[2], 0)
  if (stored !== start) throw damaged(`${stored} bytes were packed and ${start} are there`)
  return index
}

interface Destination extends UnpackSteps {
  folder: string
  owner: { uid: number; gid: number } | undefined
}

async function unpack(input: number, index: ArchiveIndex, destination: Destination): Promise<void> {
  const { folder, owner, onEssentials } = destination
  for (const path of ['', ...index.folders]) {
    const place = join(folder, path)
    mkdirSync(place, { mode: 0o700 })
    if (owner !== undefined) chownSync(place, owner.uid, owner.gid)
  }
  const chunk = Buffer.allocUnsafe(chunkLength)
  let position = 0
  let sinceTurn = 0
  let started = onEssentials
  let beforeCaches = destination.beforeCaches
  for (const [path, size, stored] of index.files) {
    if (started !== undefined && path.startsWith('base/')) {
      started()
      started = undefined
    }
    if (beforeCaches !== undefined && isCatalogueCache(path)) {
      await beforeCaches()
      beforeCaches = undefined
    }
    const output = openSync(`${folder}/${path}`, 'wx', 0o600)
    try {
      for (let left = stored; left > 0;) {
        const length = readSync(input, chunk, 0, Math.min(left, chunkLength), position)
        if (length === 0) throw new DamagedArchiveError(`${path}: the archive ended early`)
        writeAll(output, chunk, length)
        position += length
        left -= length
      }
      if (size > stored) ftruncateSync(output, size)
      if (owner !== undefined) fchownSync(output, owner.uid, owner.gid)
    } finally {
      closeSync(output)
    }
    sinceTurn += stored
    if (sinceTurn > 8 * chunkLength) {
      sinceTurn = 0
      await nextTurn()
    }
  }
  started?.()
}

/** A full disk may take a part of what is written, and says so only at the next write. */
function writeAll(output: number, content: Buffer, length: number): void {
  for (let written = 0; written < length;) written += writeSync(output, content, written, length - written)
}

function listFolder(root: string, path: string, folders: string[], files: string[]): void {
  for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
    const inner = path === '' ? entry.name : `${path}/${entry.name}`
    if (entry.isDirectory()) {
      folders.push(inner)
      listFolder(root, inner, folders, files)
    } else if (entry.isFile()) files.push(inner)
  }
}

/**
 * The server removes these as it starts, because it might have changes to make (StartupXLOG); behind a clean shutdown
 * there are none, and they spare each first connection the reading of the catalogue.
 */
function isCatalogueCache(path: string): boolean {
  return path.endsWith('/pg_internal.init')
}

function turnOf(path: string): number {
  if (isCatalogueCache(path)) return 2
  return path.startsWith('base/') ? 1 : 0
}

function isTransient(path: string): boolean {
  return (
    path === 'postmaster.pid' ||
    path === 'postmaster.opts' ||
    path.startsWith('pg_dynshmem/') ||
    path.startsWith('pg_stat_tmp/') ||
    path.startsWith('base/pgsql_tmp/')
  )
}

/**
 * After a clean shutdown the oldest segment holds the last checkpoint, whose record may reach into the next one. The
 * others were recycled for later use and are made anew when missing.
 */
function surplusWalSegments(paths: readonly string[]): Set<string> {
  const segments = paths.filter((path) => /^pg_wal\/[0-9A-F]{24}$/.test(path)).toSorted()
  return new Set(segments.slice(2))
}
