import { expect, test } from 'vitest'
import { countWorkers } from './count-workers.ts'

const counts = { asked: undefined, files: 20, cores: 8, watches: false }

test.each([
  ['the configuration says it', { asked: 3 }, 3],
  ['nobody said it: all cores but one', {}, 7],
  ['nobody said it while Vitest watches: half of the cores', { watches: true }, 4],
  ['there are fewer files', { asked: 8, files: 2 }, 2],
  ['there is one core', { cores: 1 }, 1],
  ['there is no file yet', { files: 0 }, 1],
])('%s', (_, given, expected) => {
  expect(countWorkers({ ...counts, ...given })).toBe(expected)
})
