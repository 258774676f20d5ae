import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

export interface ShopProcess {
  readonly pid: number
  /** Where it listens, once it does. Rejects with what it printed when it ends before. */
  readonly listening: Promise<string>
  /** Everything that it has printed so far. */
  readonly printed: () => string
  kill(signal: NodeJS.Signals): void
  /** Its exit code, once it has ended; the signal where one ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
}

/**
 * Starts a program of the shop's, `src/main.ts` or `dev/start.ts`, in nothing but the given environment. It ends with the test, or, with
 * `afterAll`, with the file.
 */
export function startShopProcess(
  program: string,
  environment: Record<string, string>,
  atTheEnd: (end: () => Promise<void>) => void = onTestFinished,
): ShopProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', program], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals)
  const listening = new Promise<string>((resolve, reject) => {
    for (const output of [child.stdout, child.stderr]) {
      output.setEncoding('utf8').on('data', (text: string) => {
        printed += text
        const line = /^\{.*"event":"listening","url":"([^"]+)".*$/m.exec(printed)
        if (line) resolve(line[1]!)
      })
    }
    void ended.then((code) => reject(new Error(`${program} ended with ${code} and printed:\n${printed}`)))
  })
  listening.catch(() => {})
  atTheEnd(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { pid: child.pid!, listening, printed: () => printed, kill: (signal) => void child.kill(signal), ended }
}
