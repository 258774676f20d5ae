import { spawn } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { GeneratedSuite } from './generate.ts'
import type { SuiteVariant } from './variants.ts'

const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))
const deadlineMs = 240_000

/**
 * Runs the suite once and returns the seconds from the start of Vitest's process to its end. Rejects unless every test
 * of the suite ran and passed: a suite that fails is not a measurement.
 */
export async function runSuite(suite: GeneratedSuite, variant: SuiteVariant): Promise<number> {
  const report = join(suite.folder, 'report.json')
  await rm(report, { force: true })
  const started = performance.now()
  const written = await runVitest(suite, variant, report)
  const seconds = (performance.now() - started) / 1_000
  const passed = await readPassed(report)
  if (written.code !== 0 || passed !== suite.tests)
    throw new Error(`The suite under '${variant}': ${passed} of ${suite.tests} passed; ${written.text}`)
  return seconds
}

function runVitest(
  suite: GeneratedSuite,
  variant: SuiteVariant,
  report: string,
): Promise<{ code: number; text: string }> {
  const args = ['run', '--config', suite.configFile(variant), '--reporter=json', `--outputFile=${report}`]
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [vitest, ...args], {
      cwd: suite.folder,
      env: { ...process.env, NODE_OPTIONS: '' },
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
