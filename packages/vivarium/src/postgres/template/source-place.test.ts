import { expect, test } from 'vitest'
import { findPlace, toOffset } from './source-place.ts'

test('a place is a line, a column in characters, and the line with a caret', () => {
  const text = 'select 1;\r\n\tselect "ä😀" wrong;\nselect 3'
  const place = findPlace(text, text.indexOf('wrong'))
  expect([place.line, place.column]).toEqual([2, 14])
  expect(place.label('a.sql')).toBe('a.sql:2:14')
  expect(place.excerpt).toBe('2 | \tselect "ä😀" wrong;\n    \t            ^')
})

test('the first and the last character of a text have a place', () => {
  expect(findPlace('ab', 0)).toMatchObject({ line: 1, column: 1 })
  expect(findPlace('a\n', 2)).toMatchObject({ line: 2, column: 1 })
  expect(findPlace('', 0)).toMatchObject({ line: 1, column: 1 })
})

test("the server's position counts characters, not UTF-16 units", () => {
  const text = "select '😀😀', wrong"
  expect(text.slice(toOffset(text, 13))).toBe(' wrong')
  expect(toOffset(text, 1)).toBe(0)
  expect(toOffset(text, 999)).toBe(text.length)
})
