import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { listRunPlaces } from '../../src/postgres/server/run-folder.ts'
import type { RunPlace } from '../../src/postgres/server/run-folder.ts'

/** A cache and a place for run folders of a test's own. */
export interface ServerFolders extends Disposable {
  readonly root: string
  readonly cacheFolder: string
  readonly places: readonly RunPlace[]
}

/** Makes them; everybody may pass through, because a server started by root runs as someone else. */
export function makeServerFolders(): ServerFolders {
  // Short, because a unix socket's path is.
  const root = mkdtempSync('/tmp/viv-test-')
  chmodSync(root, 0o755)
  // In memory where there is some: making a thousand files takes a second on a busy disk.
  const memory = listRunPlaces().some((place) => place.memory && freeBytes(place.folder) > 4e9)
  const runs = mkdtempSync(memory ? '/dev/shm/viv-test-' : '/tmp/viv-runs-')
  chmodSync(runs, 0o1777)
  return {
    root,
    cacheFolder: join(root, 'cache'),
    places: [{ folder: runs, memory }],
    [Symbol.dispose]: () => {
      rmSync(root, { recursive: true, force: true })
      rmSync(runs, { recursive: true, force: true })
    },
  }
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

/** The processes whose command line or working directory says that they belong to a folder. */
export function findProcesses(folder: string): { pid: number; command: string }[] {
  return execFileSync('ps', ['-A', '-ww', '-o', 'pid=,stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line))
    .filter((match) => match !== null && !match[2]?.startsWith('Z') && match[3]?.includes(folder))
    .map((match) => ({ pid: Number(match?.[1]), command: match?.[3] ?? '' }))
}

/** Whether nothing of a run is there any more. */
export function isGone(runFolder: string): boolean {
  return !existsSync(runFolder) && findProcesses(runFolder).length === 0
}

/** Asks again until it is so. */
export async function waitFor(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + 15_000
  while (!holds()) {
    if (Date.now() > end) throw new Error(`waited 15 s in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
