import { spawn } from 'node:child_process'
import { startDeadline } from '../../core/clock.ts'

/** How a command ended. */
export interface CommandResult {
  readonly ending: 'exited' | 'signalled' | 'timed out' | 'not started'
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  /** The last part of what it printed, both streams. */
  readonly tail: string
}

const tailLength = 4_000

/** Runs a shell command to its end, or ends it and what it started when the deadline passes. */
export function runCommand(command: string, env: NodeJS.ProcessEnv, deadlineMs: number): Promise<CommandResult> {
  const ownGroup = process.platform !== 'win32'
  return new Promise((resolve) => {
    const child = spawn(command, { shell: true, env, detached: ownGroup, stdio: ['ignore', 'pipe', 'pipe'] })
    let tail = ''
    let late = false
    const append = (chunk: string): void => {
      tail = (tail + chunk).slice(-tailLength)
    }
    child.stdout.setEncoding('utf8').on('data', append)
    child.stderr.setEncoding('utf8').on('data', append)
    const deadline = startDeadline(deadlineMs, () => {
      late = true
      kill(child.pid, ownGroup)
    })
    const settle = (ending: CommandResult['ending'], exitCode: number | null, signal: NodeJS.Signals | null): void => {
      deadline.cancel()
      child.stdout.destroy()
      child.stderr.destroy()
      resolve({ ending, exitCode, signal, tail: tail.trim() })
    }
    child.once('error', (error) => {
      append(error.message)
      settle('not started', null, null)
    })
    child.once('exit', (exitCode, signal) => {
      const done = (): void => settle(late ? 'timed out' : signal === null ? 'exited' : 'signalled', exitCode, signal)
      // Its last words may still be in the pipe; a process it left behind may hold the pipe open for ever.
      const grace = startDeadline(200, done)
      child.once('close', () => {
        grace.cancel()
        done()
      })
    })
  })
}

function kill(processId: number | undefined, ownGroup: boolean): void {
  if (processId === undefined) return
  try {
    process.kill(ownGroup ? -processId : processId, 'SIGKILL')
  } catch {
    // It has just ended by itself.
  }
}
