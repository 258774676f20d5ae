import { lstatSync, readdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findState, identifySelf, type ProcessIdentity } from './process-identity.ts'

const noteFile = 'owner.json'
const hour = 3_600_000

/** Writes into a run's folder whose it is: this process's. */
export function noteOwner(runFolder: string): void {
  const note = join(runFolder, noteFile)
  // Whole or not at all: others read it.
  writeFileSync(`${note}.new`, JSON.stringify(identifySelf()))
  renameSync(`${note}.new`, note)
}

/** Who made a run folder; `undefined` while it is being made, or when it is none. */
function readOwner(runFolder: string): ProcessIdentity | undefined {
  try {
    const owner = JSON.parse(readFileSync(join(runFolder, noteFile), 'utf8')) as Partial<ProcessIdentity>
    return typeof owner.pid === 'number' && typeof owner.started === 'string' && typeof owner.realm === 'string'
      ? (owner as ProcessIdentity)
      : undefined
  } catch {
    return undefined
  }
}

/**
 * Paths of the folders in `parent` that begin with `prefix`, belong to one of `users` and whose owner is dead. One whose owner lives
 * is never among them, nor what another user has put there.
 */
export function findDeadRuns(parent: string, prefix: string, users: readonly (number | undefined)[]): string[] {
  return (
    namesIn(parent)
      .filter((name) => name.startsWith(prefix))
      // Real paths, because a server's working directory is compared with them.
      .map((name) => join(realpathSync(parent), name))
      .filter((folder) => isDeadRun(folder, users))
  )
}

function isDeadRun(folder: string, users: readonly (number | undefined)[]): boolean {
  const status = lstatSync(folder, { throwIfNoEntry: false })
  if (status === undefined || !status.isDirectory() || !users.includes(status.uid)) return false
  const owner = readOwner(folder)
  // Without a note it is being made by someone, or was left in that very moment.
  if (owner === undefined) return Date.now() - status.mtimeMs > hour
  return findState(owner) === 'dead'
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
