import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findServer, findState, identifySelf, type ProcessIdentity } from '../../machine/process-identity.ts'

/** A run's own folder: the socket, the number of the server's process, its log, and whose it is. */
export interface RedisRunFolder {
  readonly path: string
  readonly socket: string
  readonly pidFile: string
  readonly log: string
}

const prefix = 'vivarium-redis-'

export function createRedisFolder(parent: string = tmpdir()): RedisRunFolder {
  // Real paths, because a server's working directory is compared with them.
  const path = mkdtempSync(join(realpathSync(parent), prefix))
  chmodSync(path, 0o700)
  const note = join(path, 'owner.json')
  writeFileSync(`${note}.new`, JSON.stringify(identifySelf()))
  renameSync(`${note}.new`, note)
  return { path, socket: join(path, 's'), pidFile: join(path, 'server.pid'), log: join(path, 'server.log') }
}

/** Ends the servers that dead runs left, and removes their folders. One whose owner lives is never touched. */
export function sweepRedisFolders(parent: string = tmpdir()): void {
  for (const name of namesIn(parent)) {
    if (!name.startsWith(prefix)) continue
    const path = join(parent, name)
    const owner = readOwner(path)
    if (owner === undefined || findState(owner) !== 'dead') continue
    try {
      const pid = findServer(join(path, 'server.pid'), realpathSync(path))
      if (pid !== undefined) process.kill(pid, 'SIGKILL')
      rmSync(path, { recursive: true, force: true })
    } catch {
      // Another user's, or another run was faster.
    }
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function readOwner(path: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(join(path, 'owner.json'), 'utf8')) as ProcessIdentity
  } catch {
    return undefined
  }
}
