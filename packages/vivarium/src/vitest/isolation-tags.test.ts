import { expect, test } from 'vitest'
import { isolationTags, taggedIsolation } from './isolation-tags.ts'

test.each<[readonly string[] | undefined, string | undefined]>([
  [undefined, undefined],
  [[], undefined],
  [['slow', 'isolation'], undefined],
  [['slow', 'isolation/database', 'mine'], 'database'],
  [['isolation/database', 'isolation/transaction'], 'transaction'],
  [['isolation/transaction', 'slow', 'isolation/database'], 'database'],
])('tags %j ask for isolation %s', (tags, isolation) => {
  expect(taggedIsolation(tags)).toBe(isolation)
})

test('each tag that is defined asks for something', () => {
  expect(isolationTags.map(({ name }) => taggedIsolation([name]))).toEqual(['transaction', 'database'])
})
