import { expect, test } from 'vitest'
import { splitNames } from './database-settings.ts'

test('a stored list of names is read with its quotes', () => {
  expect(splitNames('"$user", public')).toEqual(['$user', 'public'])
  expect(splitNames('app,public')).toEqual(['app', 'public'])
  expect(splitNames('"a, ""b""", c')).toEqual(['a, "b"', 'c'])
  expect(splitNames('""')).toEqual([''])
  expect(splitNames('')).toEqual([''])
})
