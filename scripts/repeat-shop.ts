/**
 * `npm run shop:repeat -- --times 50`: the shop's tests again and again, files and tests in another order each time, with the shop's cache and
 * messages in memory and in Redis. The last line is the total. A run that fails prints the seed that repeats its order:
 * `--seed 123 --times 1`.
 */
import { parseArgs } from 'node:util'
import { isRequired, sayNotRun } from './support/describe-if-found.ts'
import { optionalRedis } from './support/find-redis.ts'
import { root } from './support/paths.ts'
import { run } from './support/run.ts'
import { allWell, printTrouble, runSuite } from './support/vitest-run.ts'
import type { SuiteOutcome } from './support/vitest-run.ts'

const { values } = parseArgs({ options: { times: { type: 'string' }, seed: { type: 'string' } } })
const times = wholeNumber('times', values.times ?? '50')
const firstSeed = wholeNumber('seed', values.seed ?? String(1 + Math.floor(Math.random() * 1_000_000)))

const redis = optionalRedis()
const hasRedis = redis.found !== undefined || isRequired(redis.name)
const adapters = hasRedis ? ['memory', 'redis'] : ['memory']

const build = await run(process.execPath, ['--import', 'tsx', 'scripts/build.ts', '--if-needed'], { cwd: root })
if (build.code === 0) await repeat()
else process.exitCode = 1

async function repeat(): Promise<void> {
  const outcomes: SuiteOutcome[] = []
  for (let time = 0; time < times; time += 1) {
    for (const adapter of adapters) outcomes.push(await runShuffled(adapter, firstSeed + time))
  }
  if (!hasRedis) console.log(sayNotRun('the runs on Redis', { needs: redis.name, missing: redis.missing }))
  const failed = outcomes.filter((outcome) => !allWell([outcome])).length
  const tests = outcomes.reduce((sum, outcome) => sum + outcome.passed + outcome.failed, 0)
  const seconds = outcomes.reduce((sum, { wallMs }) => sum + wallMs, 0) / 1000
  console.log(
    `The shop's suite ${outcomes.length} times, shuffled (${times} on each of ${adapters.join(', ')}; seeds from ${firstSeed}): ` +
      `${tests} tests, ${failed} runs failed, ${seconds.toFixed(0)} s`,
  )
  process.exitCode = failed === 0 ? 0 : 1
}

async function runShuffled(adapter: string, seed: number): Promise<SuiteOutcome> {
  const outcome = await runSuite({
    name: `shop-repeat-${adapter}`,
    folder: 'examples/shop',
    args: ['--sequence.shuffle.files', '--sequence.shuffle.tests', `--sequence.seed=${seed}`],
    env: { SHOP_ADAPTER: adapter },
    quiet: true,
  })
  if (!allWell([outcome])) console.log(`Failed with --seed ${seed}, cache and messages in ${adapter}.`)
  printTrouble([outcome])
  return outcome
}

function wholeNumber(name: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--${name} is ${text}: it must be a whole number from 1.`)
  return Number(text)
}
