import { describe, expect, test } from 'vitest'
import { isolations } from '../support/isolations.ts'
import { type FuzzResult, renderFinding } from './check.ts'
import { fuzzClassifier } from './classifier.ts'
import { fuzzCodec } from './codec.ts'
import { fuzzContention } from './contention.ts'
import { Coverage } from './coverage.ts'
import { fuzzModel } from './model.ts'

/*
 * A bounded number of cases, always the same: what is random belongs to `npm run fuzz` and `npm run test:long`, where
 * somebody looks. A case that fails is shown small, with the command that plays it again.
 */
const seed = 20_261_122

function expectNothing(kind: string, result: FuzzResult): void {
  expect(result.finding === undefined ? '' : renderFinding(kind, result)).toBe('')
}

describe.each(isolations)('in isolation %s', (isolation) => {
  test(
    'random scripts are answered like on a plain server, and leave the same behind',
    { timeout: 120_000 },
    async () => {
      const runs = isolation === 'transaction' ? 120 : 15
      expectNothing('model', await fuzzModel({ runs, seed }, isolation, new Coverage()))
    },
  )
})

test('several connections at once: everything is answered and nothing is left', { timeout: 120_000 }, async () => {
  expectNothing('contention', await fuzzContention({ runs: 40, seed }, new Coverage()))
})

test('arbitrary bytes, cut anywhere, are read or refused, and the sandbox goes on', { timeout: 120_000 }, async () => {
  expectNothing('codec', await fuzzCodec({ runs: 1000, seed }))
})

test('generated statements are to the classifier what they are to the server', { timeout: 120_000 }, async () => {
  expectNothing('classifier', await fuzzClassifier({ runs: 1000, seed }))
})
