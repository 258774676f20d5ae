/**
 * `npm run fuzz`: random cases until one fails, which is then made small and shown with the command that plays it again.
 *
 * `--runs n`, `--seed n`, `--path p` (of an earlier failure), `--only model|codec|classifier|contention`,
 * `--isolation transaction|database`.
 */
import { parseArgs } from 'node:util'
import { type FuzzResult, type FuzzRun, renderFinding } from './check.ts'
import { fuzzClassifier } from './classifier.ts'
import { fuzzCodec } from './codec.ts'
import { fuzzContention } from './contention.ts'
import { Coverage, places } from './coverage.ts'
import { fuzzModel } from './model.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    path: { type: 'string' },
    only: { type: 'string' },
    isolation: { type: 'string', default: 'transaction' },
  },
})
const runs = Number(values.runs)
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed)
if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(seed))
  throw new Error('--runs and --seed are whole numbers')
const { isolation } = values
if (isolation !== 'transaction' && isolation !== 'database') throw new Error(`there is no isolation "${isolation}"`)

const coverage = new Coverage()
/** How many cases of each kind are as long as one script of the model. */
const kinds: Record<string, { readonly factor: number; readonly fuzz: (run: FuzzRun) => Promise<FuzzResult> }> = {
  model: { factor: 1, fuzz: (run) => fuzzModel(run, isolation, coverage) },
  contention: { factor: 0.2, fuzz: (run) => fuzzContention(run, coverage) },
  codec: { factor: 2, fuzz: fuzzCodec },
  classifier: { factor: 4, fuzz: fuzzClassifier },
}
const chosen = values.only === undefined ? Object.keys(kinds) : [values.only]

for (const name of chosen) {
  const kind = kinds[name]
  if (kind === undefined) throw new Error(`there is no fuzz "${name}": one of ${Object.keys(kinds).join(', ')}`)
  const started = performance.now()
  const wanted = values.only === undefined ? Math.ceil(runs * kind.factor) : runs
  const result = await kind.fuzz({ runs: wanted, seed, path: values.path })
  console.log(renderFinding(name, result))
  console.log(`  seed ${seed}, ${((performance.now() - started) / 1000).toFixed(1)} s`)
  if (result.finding !== undefined) process.exitCode = 1
}

const isWhole = values.path === undefined && process.exitCode !== 1
if (isWhole && (chosen.includes('model') || chosen.includes('contention'))) {
  console.log(`\nHow often each message came in each state:\n${coverage.render()}`)
  const missing = coverage.unexplained(
    chosen.includes('contention') ? places : places.filter((place) => !place.startsWith('waiting')),
  )
  for (const pair of missing) console.log(`  never: ${pair}`)
  if (missing.length > 0 && runs >= 5000 && chosen.includes('model')) {
    console.log('A pair that never meets needs a reason (test/fuzz/coverage.ts), or the scripts need more of it.')
    process.exitCode = 1
  }
}
