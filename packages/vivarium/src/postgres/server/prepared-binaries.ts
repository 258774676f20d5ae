import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { VivariumError } from '../../core/errors.ts'
import { canReach } from './server-user.ts'
import type { ServerUser } from './server-user.ts'

/** A link that the package's install script makes: `target` is to point to `source`, both from the package's folder. */
interface PackagedLink {
  readonly source: string
  readonly target: string
}

/** Options of {@link prepareBinaries}. */
export interface PrepareBinariesOptions {
  /** The package's folder `native`. */
  native: string
  /** Names the prepared folder. */
  id: string
  user: ServerUser | undefined
  cacheFolder: string
  /** Where root keeps a copy when the server's user cannot reach the cache. */
  sharedFolders?: readonly string[]
}

/**
 * A folder `native` with its links made, in reach of the server's user; made once, kept. Nothing is written into
 * `node_modules`.
 */
export async function prepareBinaries(options: PrepareBinariesOptions): Promise<string> {
  const problems: string[] = []
  for (const folder of placesFor(options)) {
    const prepared = join(folder, 'binaries', options.id, 'native')
    if (isUsable(prepared, options.user)) return prepared
    try {
      makeOpenFolder(join(folder, 'binaries'))
      if (!canReach(join(folder, 'binaries'), options.user, 'execute'))
        throw new Error('the server user cannot reach it')
      buildPrepared(options, dirname(prepared))
      if (isUsable(prepared, options.user)) return prepared
      throw new Error('what was placed there cannot be executed by the server user')
    } catch (error) {
      problems.push(`${folder}: ${(error as Error).message}`)
    }
  }
  throw new VivariumError('SERVER_BINARIES_MISSING', {
    what: `The PostgreSQL binaries in ${options.native} could not be made ready to run.`,
    seen: problems.join('; '),
    remedy:
      'Set VIVARIUM_CACHE_DIR to a folder that can be written, or name a running server in VIVARIUM_POSTGRES_URL.',
  })
}

function placesFor(options: PrepareBinariesOptions): string[] {
  if (options.user === undefined) return [options.cacheFolder]
  // Root's home is closed to the server's user; these two are not, and the second is only used when it is root's own.
  const shared = options.sharedFolders ?? ['/var/cache/vivarium', join(tmpdir(), 'vivarium-cache-0')]
  return [options.cacheFolder, ...shared].filter((folder) => isOurs(folder))
}

/** Root must not run what another user could have put there. */
function isOurs(folder: string): boolean {
  if (!existsSync(folder)) return true
  const { uid, mode } = lstatSync(folder)
  return uid === process.geteuid?.() && (mode & 0o022) === 0
}

/** Makes a folder, and the ones above it that are missing, so that others pass through whatever the umask is. */
function makeOpenFolder(folder: string): void {
  const first = mkdirSync(folder, { recursive: true })
  if (first === undefined) return
  for (let made = folder; made.length >= first.length; made = dirname(made)) chmodSync(made, 0o755)
}

function buildPrepared({ native, user }: PrepareBinariesOptions, destination: string): void {
  const temporary = `${destination}.${randomBytes(6).toString('hex')}.tmp`
  try {
    placeTree(native, join(temporary, 'native'))
    for (const { source, target } of readPackagedLinks(native)) {
      const link = join(temporary, target)
      if (!existsSync(link)) symlinkSync(relative(dirname(link), join(temporary, source)), link)
    }
    // Another process may have been faster, and may be running from there already.
    if (isUsable(join(destination, 'native'), user)) return
    rmSync(destination, { recursive: true, force: true })
    try {
      renameSync(temporary, destination)
    } catch (error) {
      if (!existsSync(destination)) throw error
    }
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

function placeTree(from: string, to: string): void {
  makeOpenFolder(to)
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = join(from, entry.name)
    const target = join(to, entry.name)
    if (entry.isDirectory()) placeTree(source, target)
    // Archives are for linking programs against PostgreSQL.
    else if (entry.isFile() && !entry.name.endsWith('.a')) placeFile(source, target)
  }
}

function placeFile(source: string, target: string): void {
  const { mode } = lstatSync(source)
  const executable = dirname(source).endsWith('/bin')
  const wanted = executable ? 0o555 : 0o444
  if ((mode & wanted) === wanted) {
    try {
      linkSync(source, target)
      return
    } catch {
      // Another file system, or a kernel that forbids links to files of others.
    }
  }
  copyFileSync(source, target)
  chmodSync(target, executable ? 0o755 : 0o644)
}

/** Whether a folder `native` can be used as it stands: links made, and everything in reach of the server's user. */
export function isUsable(native: string, user: ServerUser | undefined): boolean {
  const parent = dirname(native)
  return (
    readPackagedLinks(native).every((link) => existsSync(join(parent, link.target))) &&
    canReach(join(native, 'bin/postgres'), user, 'execute') &&
    canReach(join(native, 'bin/initdb'), user, 'execute') &&
    canReach(join(native, 'share/postgresql/postgres.bki'), user, 'read') &&
    readPackagedLinks(native).every((link) => canReach(join(parent, link.source), user, 'read'))
  )
}

/** The links that belong to a folder `native`. */
function readPackagedLinks(native: string): PackagedLink[] {
  try {
    return JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as PackagedLink[]
  } catch {
    return []
  }
}
