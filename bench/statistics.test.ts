import { describe, expect, test } from 'vitest'
import { compareRounds, summarise } from './statistics.ts'

describe('summarise', () => {
  test('the median and the quartiles do not depend on the order of the measurements', () => {
    expect(summarise([5, 1, 4, 2, 3])).toEqual({ median: 3, low: 2, high: 4, samples: 5 })
  })

  test('between two measurements the median is halfway', () => {
    expect(summarise([1, 2, 3, 10]).median).toBe(2.5)
  })

  test('one outlier does not move the median', () => {
    expect(summarise([1, 1, 1, 1, 1_000]).median).toBe(1)
  })

  test('numbers are compared as numbers, not as text', () => {
    expect(summarise([10, 9, 100]).median).toBe(10)
  })

  test('no measurement is an error, never a zero', () => {
    expect(() => summarise([])).toThrow('Nothing was measured')
  })

  test('a measurement that is not a number is an error', () => {
    expect(() => summarise([1, Number.NaN])).toThrow('NaN')
  })
})

describe('compareRounds', () => {
  test('a round that was slow for both arms does not change the ratio', () => {
    expect(compareRounds([2, 20, 4], [1, 10, 2])).toEqual({ median: 2, low: 2, high: 2, samples: 3 })
  })

  test('arms that did not run in the same rounds are not comparable', () => {
    expect(() => compareRounds([1, 2], [1])).toThrow('not interleaved')
  })

  test('a reference of zero is an error, never an infinite ratio', () => {
    expect(() => compareRounds([1], [0])).toThrow('Infinity')
  })
})
