import { describe, expect, test } from 'vitest'
import { isolations } from '../support/isolations.ts'
import { type FuzzResult, renderFinding } from './check.ts'
import { fuzzClassifier } from './classifier.ts'
import { fuzzCodec } from './codec.ts'
import { fuzzContention } from './contention.ts'
import { Coverage } from './coverage.ts'
import { fuzzModel } from './model.ts'

/** Always the same: new cases are for `npm run fuzz`. */
const seed = 9
const coverage = new Coverage()

function expectNothing(kind: string, result: FuzzResult): void {
  expect(result.finding === undefined ? '' : renderFinding(kind, result)).toBe('')
}

describe.each(isolations)('in isolation %s', (isolation) => {
  test(
    'five thousand random scripts, and fewer where each has a database of its own',
    { timeout: 1_800_000 },
    async () => {
      const isTransaction = isolation === 'transaction'
      const counted = isTransaction ? coverage : new Coverage()
      expectNothing('model', await fuzzModel({ runs: isTransaction ? 5000 : 400, seed }, isolation, counted))
    },
  )
})

test('a thousand scripts of several connections at once', { timeout: 600_000 }, async () => {
  expectNothing('contention', await fuzzContention({ runs: 1000, seed }, coverage))
})

test('every message came in every state, but for what has a reason', () => {
  expect(coverage.unexplained()).toEqual([])
})

test('ten thousand streams of bytes', { timeout: 600_000 }, async () => {
  expectNothing('codec', await fuzzCodec({ runs: 10_000, seed }))
})

test('twenty thousand generated statements', { timeout: 600_000 }, async () => {
  expectNothing('classifier', await fuzzClassifier({ runs: 20_000, seed }))
})
