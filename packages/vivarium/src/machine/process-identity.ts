import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readlinkSync } from 'node:fs'

/** A process beyond the reuse of its number. Plain data. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it started, in the system's own words. */
  readonly started: string
  /** The machine's boot and the process namespace that the number belongs to. */
  readonly realm: string
}

const hasProc = existsSync('/proc/self/stat')

/** This process. */
export function identifySelf(): ProcessIdentity {
  return { pid: process.pid, started: readStart(process.pid) ?? '', realm: readRealm() }
}

/**
 * Whether the process is still there. `'unknown'` for one of another namespace (a container that shares a folder with
 * us): its numbers mean nothing here.
 */
export function findState(identity: ProcessIdentity): 'alive' | 'dead' | 'unknown' {
  const [boot, namespace] = readRealm().split(' ')
  const [otherBoot, otherNamespace] = identity.realm.split(' ')
  if (boot !== otherBoot) return 'dead'
  if (namespace !== otherNamespace) return 'unknown'
  return readStart(identity.pid) === identity.started ? 'alive' : 'dead'
}

/** Whether a process with this number exists (one that has ended and was not waited for does not count). */
export function isRunning(pid: number): boolean {
  return readStart(pid) !== undefined
}

/** The number on the first line of a server's `pidFile`, if that process really works in `folder`. */
export function findServer(pidFile: string, folder: string): number | undefined {
  let pid: number
  try {
    pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10)
  } catch {
    return undefined
  }
  // A number below 2 would signal a group, everything, or init.
  if (!(pid > 1)) return undefined
  return worksIn(pid, folder) ? pid : undefined
}

function worksIn(pid: number, folder: string): boolean {
  if (!isRunning(pid)) return false
  try {
    if (hasProc) return readlinkSync(`/proc/${pid}/cwd`) === folder
    return askPs(pid, 'command=').includes(folder)
  } catch {
    return false
  }
}

function readStart(pid: number): string | undefined {
  try {
    if (!hasProc) return askPs(pid, 'lstart=') || undefined
    // The second field is the program's name in parentheses and may contain anything: count from the last one.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

function readRealm(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return 'this-machine all'
  }
}

function askPs(pid: number, column: string): string {
  return execFileSync('ps', ['-o', column, '-p', String(pid)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, LC_ALL: 'C' },
  }).trim()
}
