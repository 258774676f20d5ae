/**
 * `npm run demo`: the shop's integration tests under Vivarium, and a summary computed from that run's report.
 */
import { root } from './support/paths.ts'
import { run } from './support/run.ts'
import { allWell, printTrouble, runSuite } from './support/vitest-run.ts'
import type { RanTest, SuiteOutcome } from './support/vitest-run.ts'

const build = await run(process.execPath, ['--import', 'tsx', 'scripts/build.ts', '--if-needed'], { cwd: root })
if (build.code === 0) {
  const outcome = await runSuite({ name: 'shop', folder: 'examples/shop' })
  printSummary(outcome)
  printTrouble([outcome])
  process.exitCode = allWell([outcome]) ? 0 : 1
} else {
  console.log('The build failed: see above. The shop was not run.')
  process.exitCode = 1
}

function printSummary(outcome: SuiteOutcome): void {
  const slowest = outcome.tests.toSorted((a, b) => b.durationMs - a.durationMs)[0]
  const rows: [string, string][] = [
    ['tests', `${outcome.tests.length} in ${outcome.files} file${outcome.files === 1 ? '' : 's'}`],
    ['passed', String(outcome.passed)],
    ['failed', String(outcome.failed)],
  ]
  if (outcome.skipped > 0) rows.push(['skipped', String(outcome.skipped)])
  rows.push(...seenByVivarium(outcome.tests))
  rows.push(['in tests', milliseconds(outcome.testsMs)])
  if (slowest !== undefined) rows.push(['slowest', `${milliseconds(slowest.durationMs)}  ${slowest.name}`])
  rows.push(['whole run', `${milliseconds(outcome.wallMs)}, with everything that was started and stopped for it`])

  console.log('')
  for (const { name, passed, notes } of outcome.tests) {
    const statements = notes === undefined ? '' : `  (${count(notes.statements, 'statement')})`
    console.log(`  ${passed ? '✓' : '✗'} ${name}${statements}`)
  }

  const width = Math.max(...rows.map(([label]) => label.length))
  console.log('\nThe shop under Vivarium')
  for (const [label, value] of rows) console.log(`  ${label.padEnd(width)}  ${value}`)
}

/** What Vivarium noted in the tests; it reaches us through the runner's own report. */
function seenByVivarium(tests: readonly RanTest[]): [string, string][] {
  const notes = tests.flatMap((test) => test.notes ?? [])
  const sum = (key: 'sandboxes' | 'statements'): number => notes.reduce((total, note) => total + note[key], 0)
  const warnings = notes.flatMap((note) => note.fidelityWarnings)
  const rows: [string, string][] = [
    ['sandboxes', `${sum('sandboxes')}, for ${count(notes.length, 'test')}`],
    ['statements', `${sum('statements')} to PostgreSQL, without those of beforeAll and afterAll`],
    ['warnings', count(warnings.length, 'fidelity warning')],
  ]
  const kinds = new Set(warnings.map(({ component, kind, message }) => `${component}/${kind}: ${message}`))
  for (const kind of kinds) rows.push(['', kind])
  return rows
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

function milliseconds(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(2)} s`
}
