import { lstatSync, readdirSync, realpathSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { now, realSetTimeout } from '../../core/clock.ts'
import { findServer, findState, isRunning } from '../../machine/process-identity.ts'
import { readOwner, runPrefix } from './run-folder.ts'
import type { RunPlace } from './run-folder.ts'
import type { ServerUser } from './server-user.ts'

const hour = 3_600_000

/**
 * Ends the servers that dead runs left and removes their folders. A run whose owner is alive is never touched, nor is a
 * process that is not the server of the folder in question. Returns the folders that were removed.
 */
export async function sweepDeadRuns(places: readonly RunPlace[], user: ServerUser | undefined): Promise<string[]> {
  const ours = new Set([process.geteuid?.(), user?.uid])
  const dead: string[] = []
  for (const place of places) {
    for (const name of listNames(place.folder)) {
      if (!name.startsWith(runPrefix)) continue
      const folder = join(realpathSync(place.folder), name)
      if (!dead.includes(folder) && isDeadRun(folder, ours)) dead.push(folder)
    }
  }
  const removed = await Promise.all(dead.map((folder) => endRun(folder)))
  return dead.filter((_, index) => removed[index])
}

function listNames(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function isDeadRun(folder: string, ours: ReadonlySet<number | undefined>): boolean {
  const status = lstatSync(folder, { throwIfNoEntry: false })
  if (status === undefined || !status.isDirectory() || !ours.has(status.uid)) return false
  const owner = readOwner(folder)
  // Without a note it is being made by someone, or was left in that very moment.
  if (owner === undefined) return Date.now() - status.mtimeMs > hour
  return findState(owner) === 'dead'
}

async function endRun(folder: string): Promise<boolean> {
  const data = join(folder, 'data')
  try {
    await endServer(data, 'SIGQUIT')
    await endServer(data, 'SIGKILL')
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 })
    return true
  } catch {
    // The next run tries again; ours can do without.
    return false
  }
}

async function endServer(dataFolder: string, signal: 'SIGQUIT' | 'SIGKILL'): Promise<void> {
  const pid = findServer(join(dataFolder, 'postmaster.pid'), dataFolder)
  if (pid === undefined) return
  process.kill(pid, signal)
  const end = now() + 5_000
  while (isRunning(pid) && now() < end) await new Promise((resolve) => realSetTimeout(resolve, 10))
}
