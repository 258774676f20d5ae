import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { realSetTimeout, startDeadline, withDeadline } from '../../core/clock.ts'
import { VivariumError } from '../../core/errors.ts'
import type { Binaries } from './binaries.ts'
import type { RunFolder } from './run-folder.ts'
import type { ServerUser } from './server-user.ts'

/** The environment of the server's programs: nothing of ours that could change what they do (PGDATA, LD_LIBRARY_PATH). */
export const serverEnvironment: Readonly<Record<string, string>> = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
}

/** A server process that was started. */
export interface Postmaster {
  readonly pid: number | undefined
  /** Resolves, with how it ended, when it has. */
  readonly exited: Promise<string>
  /** Resolves when it accepts connections. @throws PortTakenError, VivariumError */
  ready(deadlineMs: number): Promise<void>
  /** `fast` leaves a clean data folder, `immediate` one to throw away. Resolves when the process has ended. */
  stop(mode: 'fast' | 'immediate'): Promise<void>
}

/** The port was free when it was chosen, and is not any more. */
export class PortTakenError extends Error {
  override readonly name: string = 'PortTakenError'
}

/** Starts `postgres` on the run's data folder, in a session of its own, so that Ctrl-C does not reach it. */
export function startPostmaster(binaries: Binaries, run: RunFolder, user: ServerUser | undefined): Postmaster {
  // A log of an earlier start in this folder would be taken for this one's.
  rmSync(run.log, { force: true })
  // A file, not a pipe: a pipe that nobody reads while our event loop is blocked would block the server.
  const log = openSync(run.log, 'a', 0o600)
  let child: ChildProcess
  try {
    child = spawn(binaries.postgres, ['-D', run.data], {
      cwd: run.path,
      detached: true,
      env: serverEnvironment,
      stdio: ['ignore', 'ignore', log],
      ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
    })
  } finally {
    closeSync(log)
  }
  child.unref()
  let ended: string | undefined
  const exited = new Promise<string>((resolve) => {
    const end = (how: string): void => {
      ended ??= how
      resolve(ended)
    }
    child.once('error', (error) => end(error.message))
    child.once('exit', (code, signal) => end(signal === null ? `exit code ${code}` : `signal ${signal}`))
  })

  const stop = async (mode: 'fast' | 'immediate'): Promise<void> => {
    if (ended !== undefined) return
    child.ref()
    child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
    const late = (): Error => new Error(`the server did not stop (${mode})`)
    try {
      await withDeadline(exited, mode === 'fast' ? 60_000 : 8_000, late)
    } catch (error) {
      child.kill('SIGKILL')
      await exited
      if (mode === 'fast') throw error
    } finally {
      child.unref()
    }
  }

  const ready = async (deadlineMs: number): Promise<void> => {
    let expired = false
    const deadline = startDeadline(deadlineMs, () => {
      expired = true
    })
    child.ref()
    try {
      while (!isReady(run)) {
        if (ended !== undefined) throw startFailed(run, ended)
        if (expired) throw startTooSlow(run, deadlineMs)
        await new Promise((resolve) => realSetTimeout(resolve, 2))
      }
    } finally {
      deadline.cancel()
      child.unref()
    }
  }
  return { pid: child.pid, exited, ready, stop }
}

/** The last line of postmaster.pid is the state that `pg_ctl` waits for. */
function isReady(run: RunFolder): boolean {
  try {
    return readFileSync(join(run.data, 'postmaster.pid'), 'utf8').split('\n')[7]?.trim() === 'ready'
  } catch {
    return false
  }
}

/** The end of the server's log, for errors. */
export function readLogTail(run: RunFolder): string {
  try {
    const lines = readFileSync(run.log, 'utf8').trimEnd().split('\n').slice(-12)
    return lines.join('\n    ')
  } catch {
    return '(no log)'
  }
}

function startFailed(run: RunFolder, ended: string): Error {
  const log = readLogTail(run)
  if (/could not bind IPv4 address|could not create any TCP\/IP sockets/.test(log)) return new PortTakenError(log)
  return new VivariumError('SERVER_START_FAILED', {
    what: 'The embedded PostgreSQL server did not start.',
    seen: `${ended}; the end of its log:\n    ${log}`,
    remedy: 'See what its log says; or name a running server in VIVARIUM_POSTGRES_URL.',
  })
}

function startTooSlow(run: RunFolder, deadlineMs: number): VivariumError {
  return new VivariumError('SERVER_START_TIMEOUT', {
    what: `The embedded PostgreSQL server was not ready within ${deadlineMs} ms.`,
    seen: `waited for "ready" in ${run.data}/postmaster.pid; the end of its log:\n    ${readLogTail(run)}`,
    remedy: 'See what its log says; on a slow machine allow it more time.',
  })
}
