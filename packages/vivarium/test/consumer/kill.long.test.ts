import { test } from 'vitest'
import { killRuns } from './support/kill-runs.ts'

const seed = Number(process.env.VIVARIUM_TEST_SEED ?? 20_260_101)

test('after each of 20 kills at random moments the next run passes, and nothing of the dead one is left', async () => {
  await killRuns(20, seed)
})
