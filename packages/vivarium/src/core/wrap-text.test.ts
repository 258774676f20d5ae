import { expect, test } from 'vitest'
import { indentText, wrapText } from './wrap-text.ts'

test('long lines are broken at spaces, two columns further in', () => {
  expect(wrapText('  one two three\nfour', 9)).toBe('  one two\n    three\nfour')
})

test('a word that is too long stands alone, and short lines stay as they are', () => {
  expect(wrapText('a averylongword b', 6)).toBe('a\n  averylongword\n  b')
  expect(wrapText('a  b\n\n', 6)).toBe('a  b\n\n')
})

test('empty lines are not indented', () => {
  expect(indentText('a\n\nb', '  ')).toBe('  a\n\n  b')
})
