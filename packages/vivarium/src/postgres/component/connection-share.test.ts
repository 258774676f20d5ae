import { expect, test } from 'vitest'
import { shareConnections } from './connection-share.ts'

test('all workers together, their locks, their clones and the host stay within what was asked for', () => {
  for (const workers of [1, 2, 3, 8, 16]) {
    for (const asked of [2 + 4 * workers, 50 + 4 * workers, 97 + 4 * workers]) {
      const { sandboxes, clones } = shareConnections(asked, 10_000, workers)
      expect(sandboxes).toBeGreaterThanOrEqual(1)
      expect(clones).toBeGreaterThanOrEqual(1)
      expect(2 + workers * (2 + sandboxes + clones)).toBeLessThanOrEqual(asked)
    }
  }
})

test('without a wish it is what the server accepts, and never more than that', () => {
  expect(shareConnections(undefined, 97, 2)).toEqual({ sandboxes: 41, clones: 4 })
  expect(shareConnections(500, 97, 2)).toEqual({ sandboxes: 41, clones: 4 })
})

test('too few of them are refused when they were asked for, and made do with when the server is small', () => {
  expect(() => shareConnections(9, 97, 2)).toThrow(/at least 10, or run fewer workers/)
  expect(shareConnections(undefined, 17, 16)).toEqual({ sandboxes: 1, clones: 1 })
})
