/**
 * `npm run demo`: the shop's integration tests under Vivarium, and a summary computed from that run's report.
 */
import { root } from './support/paths.ts'
import { run } from './support/run.ts'
import { allWell, printTrouble, runSuite } from './support/vitest-run.ts'
import type { SuiteOutcome } from './support/vitest-run.ts'

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
  rows.push(['in tests', milliseconds(outcome.testsMs)])
  if (slowest !== undefined) rows.push(['slowest', `${milliseconds(slowest.durationMs)}  ${slowest.name}`])
  rows.push(['whole run', `${milliseconds(outcome.wallMs)}, with everything that was started and stopped for it`])

  console.log('')
  for (const test of outcome.tests) console.log(`  ${test.passed ? '✓' : '✗'} ${test.name}`)

  const width = Math.max(...rows.map(([label]) => label.length))
  console.log('\nThe shop under Vivarium')
  for (const [label, value] of rows) console.log(`  ${label.padEnd(width)}  ${value}`)
}

function milliseconds(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(2)} s`
}
