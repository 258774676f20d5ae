import { spawn } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))
const deadlineMs = 240_000

/** One `vitest run` that is to be timed. */
export interface VitestRun {
  /** What it is called when it fails. */
  name: string
  folder: string
  /** The configuration's file name, in the folder. */
  config: string
  /** How many tests have to pass. */
  tests: number
  args?: readonly string[]
  env?: Readonly<Record<string, string>>
}

/**
 * Runs Vitest once and returns the seconds from the start of its process to its end. Rejects unless every test ran and
 * passed: a suite that fails is not a measurement.
 */
export async function timeVitest(run: VitestRun): Promise<number> {
  const report = join(run.folder, 'report.json')
  await rm(report, { force: true })
  const started = performance.now()
  const written = await runVitest(run, report)
  const seconds = (performance.now() - started) / 1_000
  const passed = await readPassed(report)
  if (written.code !== 0 || passed !== run.tests)
    throw new Error(`The suite under '${run.name}': ${passed} of ${run.tests} passed; ${written.text}`)
  return seconds
}

function runVitest(run: VitestRun, report: string): Promise<{ code: number; text: string }> {
  const args = ['run', '--config', run.config, '--reporter=json', `--outputFile=${report}`, ...(run.args ?? [])]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [vitest, ...args], {
      cwd: run.folder,
      env: { ...process.env, NODE_OPTIONS: '', ...run.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const onExit = (): void => void child.kill()
    process.once('exit', onExit)
    let text = ''
    const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs)
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      process.off('exit', onExit)
      if (signal !== null) text = `ended by ${signal}; ${text}`
      resolve({ code: code ?? 1, text: text.slice(0, 2_000) })
    })
  })
}

async function readPassed(report: string): Promise<number> {
  try {
    const { numPassedTests } = JSON.parse(await readFile(report, 'utf8')) as { numPassedTests: number }
    return numPassedTests
  } catch {
    return 0
  }
}
