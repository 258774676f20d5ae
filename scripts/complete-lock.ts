/**
 * Completes package-lock.json after `npm install`: npm leaves out optional packages for other platforms that the registry at hand
 * does not serve, and `npm ci` then refuses the lock file on every platform. Their version stands in the package that
 * wants them, their platform in their name; without an integrity npm takes what the registry has for that version.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './support/paths.ts'

interface LockEntry {
  version?: string
  dev?: boolean
  optional?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  optionalDependencies?: Record<string, string>
}

const file = join(root, 'package-lock.json')
const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, LockEntry> }
const added: string[] = []

for (const [path, entry] of Object.entries(lock.packages)) {
  if (!path.startsWith('node_modules/')) continue
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const isThere = `node_modules/${name}` in lock.packages || `${path}/node_modules/${name}` in lock.packages
    if (isThere || !/^\d/.test(version)) continue
    lock.packages[`node_modules/${name}`] = { version, ...(entry.dev === true && { dev: true }), ...platformOf(name) }
    added.push(`${name}@${version}`)
  }
}

if (added.length > 0) {
  const packages = Object.entries(lock.packages).toSorted(([a], [b]) => a.localeCompare(b, 'en'))
  writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }, null, 2)}\n`)
}
console.log(`package-lock.json: ${added.length} packages for other platforms added`)

/** `@oxfmt/binding-linux-arm64-musl`: a system, a processor, and where it matters a C library. */
function platformOf(name: string): LockEntry {
  const match = /(android|darwin|freebsd|linux|openharmony|win32)-([a-z0-9]+)(?:-(\w+))?$/.exec(name)
  if (match === null) throw new Error(`${name} is missing in package-lock.json and does not name its platform`)
  const [, os = '', cpu = '', abi = ''] = match
  // Of the C libraries only glibc and musl are told apart, by the end of the name.
  const libc = os === 'linux' && abi !== '' ? [abi.startsWith('musl') ? 'musl' : 'glibc'] : undefined
  return { cpu: [cpu], ...(libc && { libc }), optional: true, os: [os] }
}
