import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { replaceSpans } from './rewrite.ts'

/** The position of a marker as the server counts: characters, from 1. */
function positionOf(text: string, marker: string): number {
  return Array.from(text.slice(0, text.indexOf(marker))).length + 1
}

describe('rewriting', () => {
  test('replaces parts given in any order', () => {
    const { text } = replaceSpans('begin; x; commit', [
      { start: 10, end: 16, text: 'release a' },
      { start: 0, end: 5, text: 'savepoint a' },
    ])
    expect(text).toBe('savepoint a; x; release a')
  })

  test('maps positions behind, between and before replacements', () => {
    const original = 'é😀; begin; select !; commit; ? end'
    const at = (part: string): number => original.indexOf(part)
    const { text, originalPosition } = replaceSpans(original, [
      { start: at('begin'), end: at('begin') + 5, text: 'savepoint "😀"' },
      { start: at('commit'), end: at('commit') + 6, text: 'x' },
    ])
    for (const marker of ['é', '😀', '!', '?', 'end']) {
      expect(originalPosition(positionOf(text, marker))).toBe(positionOf(original, marker))
    }
  })

  test('maps a position within a replacement to the start of what it replaced', () => {
    const { originalPosition } = replaceSpans('😀 begin', [{ start: 3, end: 8, text: 'savepoint' }])
    expect([3, 4, 11].map(originalPosition)).toEqual([3, 3, 3])
    expect(originalPosition(12)).toBe(8)
  })

  test('maps around insertions and deletions', () => {
    const { text, originalPosition } = replaceSpans('abc', [
      { start: 1, end: 1, text: '--' },
      { start: 2, end: 3, text: '' },
    ])
    expect(text).toBe('a--b')
    expect([1, 2, 3, 4, 5].map(originalPosition)).toEqual([1, 2, 2, 2, 4])
  })

  test('leaves no position as it is', () => {
    expect(replaceSpans('a', []).originalPosition(0)).toBe(0)
  })

  test('refuses parts that overlap or lie outside', () => {
    expect(() =>
      replaceSpans('abc', [
        { start: 0, end: 2, text: '' },
        { start: 1, end: 3, text: '' },
      ]),
    ).toThrow(RangeError)
    expect(() => replaceSpans('abc', [{ start: 2, end: 4, text: '' }])).toThrow(RangeError)
    expect(() => replaceSpans('abc', [{ start: 2, end: 1, text: '' }])).toThrow(RangeError)
  })

  test('every kept character maps back to its own place', () => {
    const piece = fc.record({
      kept: fc.string({ unit: 'grapheme' }),
      cut: fc.string(),
      put: fc.string({ unit: 'grapheme' }),
    })
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const kept: { original: number; rewritten: number }[] = []
        const replacements: { start: number; end: number; text: string }[] = []
        let original = ''
        let expected = ''
        for (const { kept: same, cut, put } of pieces) {
          for (const character of same) {
            kept.push({ original: Array.from(original).length + 1, rewritten: Array.from(expected).length + 1 })
            original += character
            expected += character
          }
          replacements.push({ start: original.length, end: original.length + cut.length, text: put })
          original += cut
          expected += put
        }
        const { text, originalPosition } = replaceSpans(original, replacements)
        expect(text).toBe(expected)
        for (const place of kept) expect(originalPosition(place.rewritten)).toBe(place.original)
      }),
    )
  })
})
