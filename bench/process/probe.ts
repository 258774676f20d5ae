import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const deadlineMs = 60_000

/**
 * Runs a probe of this folder in a process of its own and returns the numbers that it sends. Rejects with what the
 * process wrote when it ends without them.
 */
export function runProbe(
  name: 'memory-probe' | 'start-probe',
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Record<string, number>> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL(`./${name}.ts`, import.meta.url)), args, {
      execArgv: ['--expose-gc', '--import', 'tsx'],
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    let numbers: Record<string, number> | undefined
    let written = ''
    const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs)
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (written += text))
    child.on('message', (message) => (numbers = message as Record<string, number>))
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (numbers !== undefined && code === 0) resolve(numbers)
      else reject(new Error(`The ${name} ended with ${signal ?? code}: ${firstError(written)}`))
    })
  })
}

function firstError(written: string): string {
  const lines = written.split('\n').filter((line) => line.trim() !== '')
  return lines.find((line) => line.includes('Error')) ?? lines[0] ?? 'it wrote nothing'
}
