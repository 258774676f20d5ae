import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { StartEmbeddedServerOptions } from '../../src/postgres/server/embedded-server.ts'

/** What the child tells of the server that it started. */
export interface ChildReport {
  readonly runFolder: string
  readonly url: string
  /** How many listeners its process had for exit and signals. */
  readonly listeners: { readonly before: readonly number[]; readonly after: readonly number[] }
}

/** A process that starts a server and stays. */
export interface StartedChild {
  readonly child: ChildProcess
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** Resolves when the server is up. */
  readonly report: Promise<ChildReport>
  /** Resolves when it has taken a SIGINT. */
  readonly interrupted: Promise<void>
}

const children = new Set<ChildProcess>()

/** Ends the children that a failed test left. */
export function endChildren(): void {
  for (const child of children) child.kill('SIGKILL')
}

/** Starts it in a process group of its own, as a terminal does. */
export function startChild(
  options: StartEmbeddedServerOptions,
  { args = [], uid, env }: { args?: string[]; uid?: number; env?: NodeJS.ProcessEnv } = {},
): StartedChild {
  const fixture = fileURLToPath(new URL('./fixtures/start-and-stay.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', fixture, JSON.stringify(options), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    ...(uid === undefined ? {} : { uid, gid: uid }),
    ...(env === undefined ? {} : { env }),
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  let errors = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const exited = once(child, 'exit').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }))
  const lines = createInterface({ input: child.stdout! })
  const interrupted = new Promise<void>((resolve) => {
    lines.on('line', (line) => {
      if (line === 'interrupted') resolve()
    })
  })
  const report = new Promise<ChildReport>((resolve, reject) => {
    lines.once('line', (line) => resolve(JSON.parse(line) as ChildReport))
    void exited.then(({ code, signal }) => reject(new Error(`the child ended with ${code ?? signal}: ${errors}`)))
  })
  // A test that kills the child before its report does not await it.
  report.catch(() => {})
  return { child, exited, report, interrupted }
}
