import { test } from 'vitest'
import { killRuns } from './support/kill-runs.ts'

test(
  'after kill -9 in the middle of a run the next one passes, and nothing of the dead one is left',
  { timeout: 120_000 },
  async () => {
    await killRuns(2, 7)
  },
)
