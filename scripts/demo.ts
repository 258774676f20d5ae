/**
 * `npm run demo`: the shop's six kinds of integration test under Vivarium, once in each isolation, and a screen computed from the
 * reports of the two runs: what ran, on what, how long, and where to look next. `--all` runs everything that the shop has. It fails
 * when a test does, or when the two do not agree.
 */
import { optionalRedis } from './support/find-redis.ts'
import { root } from './support/paths.ts'
import { run } from './support/run.ts'
import { allWell, notRunLines, printTrouble, runSuite } from './support/vitest-run.ts'
import type { RanTest, SuiteOutcome } from './support/vitest-run.ts'

const isolations = ['transaction', 'database']

/** The kinds of test, each by the file that shows it. */
const kinds: Readonly<Record<string, string>> = {
  'test/database.test.ts': 'database: all of an order is written, or nothing',
  'test/external-api.test.ts': 'external API: Stripe and the mail service, asked once and exactly so',
  'test/cache.test.ts': 'cache: the second read runs no query',
  'test/pub-sub.test.ts': 'pub/sub: who is told, and who is not',
  'test/workflow.test.ts': 'workflow: step after step, and every step out of order',
  'test/faults.test.ts': 'workflow: every step failing in turn',
  'test/race.test.ts': 'race: what happens at the same moment',
}

const runsAll = process.argv.includes('--all')

const build = await run(process.execPath, ['--import', 'tsx', 'scripts/build.ts', '--if-needed'], { cwd: root })
if (build.code === 0) {
  const outcomes: SuiteOutcome[] = []
  for (const isolation of isolations) {
    console.log(`Running the shop's tests with VIVARIUM_ISOLATION=${isolation} …`)
    const env = { VIVARIUM_ISOLATION: isolation }
    const args = runsAll ? [] : Object.keys(kinds)
    outcomes.push(await runSuite({ name: `shop-${isolation}`, folder: 'examples/shop', env, args, quiet: true }))
  }
  const differences = [
    ...compare(outcomes),
    ...outcomes.flatMap((outcome, index) => notIn(outcome, isolations[index]!)),
  ]
  printSummary(outcomes, differences)
  printTrouble(outcomes)
  // The same tests in each of the runs.
  for (const line of notRunLines(outcomes.slice(0, 1))) console.log(`\n${line}`)
  process.exitCode = allWell(outcomes) && differences.length === 0 ? 0 : 1
} else {
  console.log('The build failed: see above. The shop was not run.')
  process.exitCode = 1
}

/** What a test did in one isolation and not in the other. */
function compare(outcomes: readonly SuiteOutcome[]): string[] {
  const names = new Set(outcomes.flatMap(({ tests }) => tests.map(({ name }) => name)))
  return [...names].flatMap((name) => {
    const seen = outcomes.map((outcome) => said(outcome, name))
    if (new Set(seen).size === 1) return []
    return [name, ...seen.map((what, index) => `  ${isolations[index]}: ${what}`)]
  })
}

function said({ tests }: SuiteOutcome, name: string): string {
  const [test, ...others] = tests.filter((one) => one.name === name)
  if (test === undefined) return 'did not run'
  if (others.length > 0) return 'ran more than once'
  return `${test.passed ? 'passed' : 'failed'}, ${count(test.notes?.statements ?? 0, 'statement')}`
}

/** A run that was not in the isolation that it was to be in proves nothing. A tag may give a test another one. */
function notIn({ tests }: SuiteOutcome, isolation: string): string[] {
  if (tests.some(({ notes }) => notes?.isolation === isolation)) return []
  return [`no test of the run with VIVARIUM_ISOLATION=${isolation} ran in that isolation`]
}

function printSummary(outcomes: readonly SuiteOutcome[], differences: readonly string[]): void {
  const column = 13
  const cells = (values: readonly string[]): string => values.map((value) => value.padEnd(column)).join('')
  console.log(`\nThe shop under Vivarium, in both isolations\n\n  ${cells(isolations)}tests  statements`)
  const others = [['everything else', isOfNoKind] as const]
  for (const [kind, isOfIt] of [...kindsOfTest(), ...(runsAll ? others : [])]) {
    const [first = [], ...others] = outcomes.map(({ tests }) => tests.filter(isOfIt))
    const statements = first.reduce((total, { notes }) => total + (notes?.statements ?? 0), 0)
    // Those of a sweep ran in sandboxes within the tests', which are not counted.
    const numbers = `${String(first.length).padStart(5)}${String(statements || '').padStart(12)}`
    console.log(`  ${cells([first, ...others].map(markOf))}${numbers}  ${kind}`)
  }
  const rows: [string, (outcome: SuiteOutcome) => string][] = [
    ['tests', ({ tests, files }) => `${tests.length} in ${count(files, 'file')}`],
    ['passed', ({ passed }) => String(passed)],
    ['failed', ({ failed }) => String(failed)],
    ['skipped', ({ skipped }) => String(skipped)],
    ['statements', (outcome) => String(sum(outcome, 'statements'))],
    ['sandboxes', (outcome) => String(sum(outcome, 'sandboxes'))],
    ['warnings', ({ tests }) => count(tests.flatMap(({ notes }) => notes?.fidelityWarnings ?? []).length, 'warning')],
    ['in tests', ({ testsMs }) => milliseconds(testsMs)],
    ['whole run', ({ wallMs }) => milliseconds(wallMs)],
  ]
  console.log(`\n  ${''.padEnd(12)}${isolations.map((isolation) => isolation.padEnd(18)).join('')}`)
  for (const [label, value] of rows) {
    if (label === 'skipped' && outcomes.every(({ skipped }) => skipped === 0)) continue
    console.log(`  ${label.padEnd(12)}${outcomes.map((outcome) => value(outcome).padEnd(18)).join('')}`.trimEnd())
  }
  if (differences.length === 0) {
    console.log('\nThe two agree: the same tests, the same outcomes, the same number of statements in each.')
  } else console.log(`\nThe two do not agree:\n${differences.map((line) => `  ${line}`).join('\n')}`)

  const postgres = process.env['VIVARIUM_POSTGRES_URL']
    ? 'the PostgreSQL that VIVARIUM_POSTGRES_URL names'
    : 'a PostgreSQL of its own'
  const redis = optionalRedis().found === undefined ? 'no Redis' : 'a Redis'
  console.log(`They ran on ${postgres} and ${redis}, with Node ${process.versions.node}.

  where to look next
  docs/guides/README.md    a guide for each kind of test
  examples/shop/test/      the tests that ran; all that the shop has: npm run demo -- --all
  README.md                how to begin in a project of your own`)
}

function kindsOfTest(): [kind: string, isOfIt: (test: RanTest) => boolean][] {
  return Object.entries(kinds).map(([file, kind]) => [kind, (test) => test.file === file])
}

function isOfNoKind({ file }: RanTest): boolean {
  return !(file in kinds)
}

function markOf(tests: readonly RanTest[]): string {
  if (tests.length === 0) return '–'
  return tests.every(({ passed }) => passed) ? '✓' : '✗'
}

function sum({ tests }: SuiteOutcome, key: 'sandboxes' | 'statements'): number {
  return tests.reduce((total, { notes }) => total + (notes?.[key] ?? 0), 0)
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

function milliseconds(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(2)} s`
}
