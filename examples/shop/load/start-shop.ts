import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface StartedShop {
  readonly url: string
  /** The lines that it has logged as errors. */
  readonly failures: () => readonly string[]
  stop(): Promise<void>
}

/** Starts the shop as `npm run shop` does, and waits until it listens. */
export async function startShop(environment: Record<string, string>): Promise<StartedShop> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'dev/start.ts'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  const failures: string[] = []
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      const [, said] = /^The shop: (\S+)$/.exec(line) ?? []
      if (said !== undefined) resolve(said)
      if (line.includes('"level":"error"')) failures.push(line)
    })
    void closed.then(() => reject(new Error('The shop ended before it listened.')))
  })
  return {
    url,
    failures: () => failures,
    async stop() {
      child.kill('SIGTERM')
      await closed
    },
  }
}
