import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type NotRun, sayNotRun } from './describe-if-found.ts'
import { shown } from './files.ts'
import { root } from './paths.ts'
import { runTool } from './run.ts'

/** One `vitest run` of a workspace. */
export interface Suite {
  name: string
  /** Relative to the repository. */
  folder: string
  config?: string
  /** Further arguments of the runner. */
  args?: readonly string[]
  /** Added to the environment. */
  env?: Readonly<Record<string, string>>
  /** Print what the runner prints only when the run did not end well. */
  quiet?: boolean
}

/** What a run said about itself, from its own JSON report. */
export interface SuiteOutcome {
  suite: Suite
  passed: number
  failed: number
  skipped: number
  /** Why, of each that was skipped for want of something. */
  notRun: NotRun[]
  files: number
  /** Milliseconds in tests, hooks left out. */
  testsMs: number
  /** Milliseconds of the whole run, start-up included. */
  wallMs: number
  tests: RanTest[]
  /** Why the run as a whole is bad although its tests may have passed. */
  trouble: string[]
}

/** One test that ran. */
export interface RanTest {
  /** Relative to the suite's folder. */
  file: string
  name: string
  passed: boolean
  durationMs: number
  /** What Vivarium saw in it; absent where its plugin is not at work. */
  notes: TestNotes | undefined
}

/** `meta.vivarium` of a test in the report, as far as it is used here. */
interface TestNotes {
  isolation: string
  sandboxes: number
  statements: number
  fidelityWarnings: { component: string; kind: string; message: string }[]
}

interface JsonReport {
  testResults: {
    name: string
    status: string
    message?: string
    assertionResults: {
      fullName: string
      status: string
      duration?: number | null
      meta?: { vivarium?: TestNotes; notRun?: NotRun }
    }[]
  }[]
}

/** Runs a suite in its folder; the runner prints as usual unless it is to be quiet, and its JSON report is what is counted. */
export async function runSuite(suite: Suite): Promise<SuiteOutcome> {
  const folder = join(root, '.cache/results')
  const file = join(folder, `${suite.name.replaceAll(/\W+/g, '-')}.json`)
  mkdirSync(folder, { recursive: true })
  rmSync(file, { force: true })
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  if (suite.config !== undefined) args.push('--config', suite.config)
  args.push(...(suite.args ?? []))

  const started = performance.now()
  const { code, output } = await runTool('vitest/vitest.mjs', args, {
    cwd: join(root, suite.folder),
    env: { ...process.env, ...suite.env },
    capture: suite.quiet,
  })
  const wallMs = performance.now() - started
  if (code !== 0) process.stdout.write(output)

  if (!existsSync(file)) return { ...count(suite, { testResults: [] }, wallMs), trouble: ['it left no report'] }
  const outcome = count(suite, JSON.parse(readFileSync(file, 'utf8')) as JsonReport, wallMs)
  if (code !== 0 && outcome.failed === 0) outcome.trouble.push(`it ended with code ${code}`)
  if (code === 0 && outcome.failed > 0) outcome.trouble.push('it ended with code 0 although tests failed')
  if (outcome.passed + outcome.failed === 0) outcome.trouble.push('it ran no test')
  return outcome
}

function count(suite: Suite, report: JsonReport, wallMs: number): SuiteOutcome {
  const outcome: SuiteOutcome = {
    suite,
    passed: 0,
    failed: 0,
    skipped: 0,
    notRun: [],
    files: report.testResults.length,
    testsMs: 0,
    wallMs,
    tests: [],
    trouble: [],
  }
  for (const file of report.testResults) {
    for (const test of file.assertionResults) {
      if (test.status === 'passed') outcome.passed++
      else if (test.status === 'failed') outcome.failed++
      else outcome.skipped++
      if (test.status !== 'passed' && test.status !== 'failed') {
        if (test.meta?.notRun !== undefined) outcome.notRun.push(test.meta.notRun)
        continue
      }
      outcome.testsMs += test.duration ?? 0
      outcome.tests.push({
        file: shown(join(root, suite.folder), file.name),
        name: test.fullName,
        passed: test.status === 'passed',
        durationMs: test.duration ?? 0,
        notes: test.meta?.vivarium,
      })
    }
    // A file that could not be loaded, or whose hooks failed, has no failed test of its own and is a failure all the same.
    if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')) outcome.failed++
  }
  return outcome
}

/** `12 passed, 0 failed`, and `, 3 skipped` where some were. */
export function totals(outcomes: readonly SuiteOutcome[]): string {
  const sum = (key: 'passed' | 'failed' | 'skipped'): number =>
    outcomes.reduce((total, outcome) => total + outcome[key], 0)
  const skipped = sum('skipped')
  return `${sum('passed')} passed, ${sum('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

/** For each thing that was not there, how many tests were not run. */
export function notRunLines(outcomes: readonly SuiteOutcome[]): string[] {
  const all = outcomes.flatMap(({ notRun }) => notRun)
  return [...new Set(all.map(({ needs }) => needs))].map((needs) => {
    const these = all.filter((one) => one.needs === needs)
    return sayNotRun(
      these.length === 1 ? `1 test that needs ${needs}` : `${these.length} tests that need ${needs}`,
      these[0]!,
    )
  })
}

/** Whether every run ended well. */
export function allWell(outcomes: readonly SuiteOutcome[]): boolean {
  return outcomes.every((outcome) => outcome.failed === 0 && outcome.trouble.length === 0)
}

/** Prints what is wrong with a run beyond its failed tests. */
export function printTrouble(outcomes: readonly SuiteOutcome[]): void {
  for (const outcome of outcomes) {
    for (const trouble of outcome.trouble) console.log(`The run of ${outcome.suite.name} went wrong: ${trouble}.`)
  }
}
