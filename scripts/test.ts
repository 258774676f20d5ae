/**
 * `npm test`: builds, then runs the suites one after the other. The last line is the totals of the runners' own reports.
 * `--long`: what is too long for every change, instead.
 */
import { root } from './support/paths.ts'
import { run } from './support/run.ts'
import { allWell, notRunLines, printTrouble, runSuite, totals } from './support/vitest-run.ts'
import type { Suite, SuiteOutcome } from './support/vitest-run.ts'

const suites: Suite[] = process.argv.includes('--long')
  ? [
      { name: 'vivarium (long)', folder: 'packages/vivarium', config: 'vitest.long.config.ts' },
      { name: 'shop (long)', folder: 'examples/shop', config: 'vitest.long.config.ts' },
    ]
  : [
      { name: 'vivarium', folder: 'packages/vivarium' },
      { name: 'shop', folder: 'examples/shop' },
      { name: 'bench', folder: 'bench' },
    ]

const build = await run(process.execPath, ['--import', 'tsx', 'scripts/build.ts'], { cwd: root })
if (build.code !== 0) console.log('The build failed: see above. No test was run.')

const outcomes: SuiteOutcome[] = []
if (build.code === 0) for (const suite of suites) outcomes.push(await runSuite(suite))

printTrouble(outcomes)
for (const line of notRunLines(outcomes)) console.log(line)
console.log(totals(outcomes))
process.exitCode = build.code === 0 && allWell(outcomes) ? 0 : 1
