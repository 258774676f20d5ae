import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What is left of a dead process. */
export interface Leftovers {
  /** Run folders that belong to it. */
  readonly folders: readonly string[]
  /** Command lines of processes of its group, and of servers on its run folders. */
  readonly processes: readonly string[]
}

/** Looks for what the process `pid`, the leader of its group, has left on this machine (Linux). */
export function findLeftovers(pid: number): Leftovers {
  const places = new Set(['/dev/shm', tmpdir(), '/tmp', '/var/tmp'].flatMap((place) => realPath(place)))
  const folders = [...places].flatMap((place) =>
    readdirSync(place)
      .filter((name) => name.startsWith('vivarium-run-'))
      .map((name) => join(place, name))
      .filter((folder) => ownerOf(folder) === pid),
  )
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(name))
    .filter((one) => one !== undefined)
    .filter(
      ({ group, state, text }) => state !== 'Z' && (group === pid || folders.some((folder) => text.includes(folder))),
    )
    .map(({ text }) => text)
  return { folders, processes }
}

function ownerOf(folder: string): number | undefined {
  const note = read(join(folder, 'owner.json'))
  return note === undefined ? undefined : (JSON.parse(note) as { pid: number }).pid
}

function readProcess(pid: string): { group: number; state: string; text: string } | undefined {
  const [stat, text] = [read(`/proc/${pid}/stat`), read(`/proc/${pid}/cmdline`)]
  if (stat === undefined || text === undefined) return undefined
  // The name in parentheses may hold anything; state, parent and group follow the last of them (proc_pid_stat(5)).
  const [state = '', , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { group: Number(group), state, text: `${pid} ${text.replaceAll('\0', ' ')}` }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function realPath(folder: string): string[] {
  try {
    return [realpathSync(folder)]
  } catch {
    return []
  }
}
