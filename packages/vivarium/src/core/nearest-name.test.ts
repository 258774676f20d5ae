import { expect, test } from 'vitest'
import { nearestName } from './nearest-name.ts'

const known = ['migrations', 'url', 'version', 'env', 'isolation', 'waitMs']

test.each([
  ['migration', 'migrations'],
  ['Migrations', 'migrations'],
  ['isolaton', 'isolation'],
  ['waitms', 'waitMs'],
  ['uri', 'url'],
])('%s is taken for a mistyped %s', (mistyped, meant) => {
  expect(nearestName(mistyped, known)).toBe(meant)
})

test('a name that is like none of the known ones has no nearest', () => {
  expect(nearestName('connectionString', known)).toBeUndefined()
})
