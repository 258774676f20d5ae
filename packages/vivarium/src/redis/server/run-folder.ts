import { chmodSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findServer } from '../../machine/process-identity.ts'
import { findDeadRuns, noteOwner } from '../../machine/run-owner.ts'

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
  noteOwner(path)
  return { path, socket: join(path, 's'), pidFile: join(path, 'server.pid'), log: join(path, 'server.log') }
}

/** Ends the servers that dead runs left, and removes their folders. One whose owner lives is never touched. */
export function sweepRedisFolders(parent: string = tmpdir()): void {
  for (const path of findDeadRuns(parent, prefix, [process.geteuid?.()])) {
    try {
      const pid = findServer(join(path, 'server.pid'), path)
      if (pid !== undefined) process.kill(pid, 'SIGKILL')
      rmSync(path, { recursive: true, force: true })
    } catch {
      // Another run was faster.
    }
  }
}
