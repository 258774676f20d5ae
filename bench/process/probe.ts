import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const deadlineMs = 60_000

/**
 * Runs a probe of this folder in a process of its own and returns the numbers that it sends. Rejects with what the
 * process wrote when it ends without them.
 */
export async function runProbe(
  name: 'contract-probe' | 'memory-probe' | 'start-probe',
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Record<string, number>> {
  const script = await compile(name)
  return new Promise((resolve, reject) => {
    const child = fork(script, args, {
      execArgv: ['--expose-gc'],
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

/** To plain JavaScript: a loader for TypeScript would read the package through itself, and its memory and time be measured. */
async function compile(name: string): Promise<string> {
  const outfile = fileURLToPath(new URL(`../../.cache/bench/${name}.mjs`, import.meta.url))
  await build({
    entryPoints: [fileURLToPath(new URL(`./${name}.ts`, import.meta.url))],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
  })
  return outfile
}

function firstError(written: string): string {
  const lines = written.split('\n').filter((line) => line.trim() !== '')
  return lines.find((line) => line.includes('Error')) ?? lines[0] ?? 'it wrote nothing'
}
