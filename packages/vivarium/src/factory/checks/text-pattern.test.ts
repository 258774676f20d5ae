import fc from 'fast-check'
import { expect, test } from 'vitest'
import { likeToRegex, matches, patternSeries } from './text-pattern.ts'

test('texts that are made of a pattern match it, and differ', () => {
  const patterns = [
    '^[A-Z]{2}[0-9]{4}$',
    '^(draft|paid|void)$',
    String.raw`^\d{3}-\d{4}$`,
    '^[a-z0-9]+(-[a-z0-9]+)*$',
    '^[[:upper:]][[:lower:]]+$',
    '^#[0-9a-f]{6}$',
    '^(/[a-z_]+)+$',
    String.raw`^\.[a-z]{2,4}$`,
  ]
  for (const pattern of patterns) {
    const series = patternSeries(pattern)
    const count = Math.min(200, series?.size ?? 0)
    const texts = Array.from({ length: count }, (_, index) => String(series?.at(index + 1)))
    expect(texts.filter((text) => matches(pattern, text) !== true)).toEqual([])
    expect(new Set(texts).size, pattern).toBe(count)
    expect(count).toBeGreaterThan(0)
  }
})

test('a pattern with what is not understood gives none', () => {
  expect(patternSeries('^(?!a)b$')).toBeUndefined()
})

test('LIKE means what it means', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'b', '%', '_', '.', '*') }), (text) => {
      const escaped = text.replaceAll(/[%_]/g, String.raw`\$&`)
      expect(matches(likeToRegex(escaped), text)).toBe(true)
      expect(matches(likeToRegex(`${escaped}%`), `${text}and more`)).toBe(true)
      expect(matches(likeToRegex(`${escaped}_`), text)).toBe(false)
    }),
  )
})
