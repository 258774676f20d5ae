import { spawn } from 'node:child_process'
import { withDeadline } from '../../../src/core/clock.ts'

/** A child process that has ended. */
export interface ProcessOutcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A child process while it runs. */
export interface RunningProcess {
  readonly pid: number
  readonly ended: Promise<ProcessOutcome>
  /** Resolves once standard output holds `text`. */
  printed(text: string): Promise<void>
  /** Signals the process, or it and everything it started in its group; nothing happens when it has ended. */
  kill(signal: NodeJS.Signals, scope: 'process' | 'group'): void
  write(text: string): void
}

/** How a child process is started. */
export interface StartProcessOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** Below a test's time-out: a test that Vitest gives up would leave the process behind. @default 25_000 */
  readonly deadlineMs?: number
}

/** The environment of a user's shell: nothing of the Vitest that runs these tests, nothing of Vivarium's. */
export function cleanEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^(VITEST|VIVARIUM|TEST$|NODE_ENV|NODE_OPTIONS|DATABASE_URL|DEV$|PROD$|MODE$|SSR$|BASE_URL)/.test(name),
  )
  return { ...(Object.fromEntries(kept) as Record<string, string>), NO_COLOR: '1' }
}

/** Starts `node` with the arguments, in a process group of its own. */
export function startNode(args: readonly string[], options: StartProcessOptions): RunningProcess {
  const env = { ...cleanEnvironment(), ...options.env }
  const child = spawn(process.env.VIVARIUM_TEST_NODE ?? process.execPath, args, {
    cwd: options.cwd,
    env,
    detached: true,
    stdio: 'pipe',
  })
  const pid = child.pid
  if (pid === undefined) throw new Error(`node ${args.join(' ')} did not start`)
  let stdout = ''
  let stderr = ''
  const waiting = new Set<() => void>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    for (const look of waiting) look()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const kill: RunningProcess['kill'] = (signal, scope) => {
    try {
      process.kill(scope === 'group' ? -pid : pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
  const closed = new Promise<ProcessOutcome>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      resolve({ code, signal, stdout, stderr })
    })
  })
  const late = (what: string): Error => {
    kill('SIGKILL', 'group')
    return new Error(`${what} took too long: node ${args.join(' ')}\n${stdout}\n${stderr}`)
  }
  const deadlineMs = options.deadlineMs ?? 25_000
  const ended = withDeadline(closed, deadlineMs, () => late('the process'))
  ended.catch(() => undefined)
  return {
    pid,
    ended,
    printed: (text) => {
      const seen = new Promise<void>((resolve, reject) => {
        const look = (): void => {
          if (!stdout.includes(text)) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        closed.then(
          () => reject(new Error(`ended without printing ${text}\n${stdout}\n${stderr}`)),
          (error: unknown) => reject(error as Error),
        )
        look()
      })
      return withDeadline(seen, deadlineMs, () => late(`waiting for "${text}"`))
    },
    kill,
    write: (text) => void child.stdin.write(text),
  }
}

/** Runs `node` to its end. */
export function runNode(args: readonly string[], options: StartProcessOptions): Promise<ProcessOutcome> {
  return startNode(args, options).ended
}
