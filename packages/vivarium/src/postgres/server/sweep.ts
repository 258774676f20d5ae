import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { now, realSetTimeout } from '../../core/clock.ts'
import { findServer, isRunning } from '../../machine/process-identity.ts'
import { findDeadRuns } from '../../machine/run-owner.ts'
import { runPrefix } from './run-folder.ts'
import type { RunPlace } from './run-folder.ts'
import type { ServerUser } from './server-user.ts'

/**
 * Ends the servers that dead runs left and removes their folders. A run whose owner is alive is never touched, nor is a
 * process that is not the server of the folder in question. Returns the folders that were removed.
 */
export async function sweepDeadRuns(places: readonly RunPlace[], user: ServerUser | undefined): Promise<string[]> {
  const users = [process.geteuid?.(), user?.uid]
  const dead = new Set(places.flatMap(({ folder }) => findDeadRuns(folder, runPrefix, users)))
  const ended = await Promise.all([...dead].map(async (folder) => ((await endRun(folder)) ? [folder] : [])))
  return ended.flat()
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
