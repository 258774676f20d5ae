import { expect as jestExpect } from 'expect'
import { expect, test } from 'vitest'
import { differences, equals, printDifference } from './differences.ts'

class Money {
  readonly #cents: number
  constructor(cents: number) {
    this.#cents = cents
  }
  get cents(): number {
    return this.#cents
  }
}

const cyclic = (name: string): object => {
  const value: { name: string; self?: object } = { name }
  value.self = value
  return value
}

test.each<[string, unknown, unknown]>([
  ['numbers', 1, 1],
  ['NaN', Number.NaN, Number.NaN],
  ['nested objects', { a: [{ b: 1 }] }, { a: [{ b: 1 }] }],
  ['undefined and a missing property', { a: undefined }, {}],
  ['a missing property and undefined', {}, { a: undefined }],
  ['dates', new Date(5), new Date(5)],
  ['bytes', Buffer.from('a'), Buffer.from('a')],
  ['expressions', /a/g, /a/g],
  ['addresses', new URL('http://a.test/'), new URL('http://a.test')],
  ['errors', new TypeError('a'), new TypeError('a')],
  ['maps with keys that are equal', new Map([[{ id: 1 }, 'a']]), new Map([[{ id: 1 }, 'a']])],
  ['sets in another order', new Set([{ id: 1 }, { id: 2 }]), new Set([{ id: 2 }, { id: 1 }])],
  ['objects that contain themselves', cyclic('a'), cyclic('a')],
  ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ["Vitest's matchers", { a: expect.any(String), b: expect.objectContaining({ c: 1 }) }, { a: 'x', b: { c: 1, d: 2 } }],
  ["Jest's matchers", { a: jestExpect.any(String), b: jestExpect.stringMatching(/x/) }, { a: 'x', b: 'xy' }],
  ['a matcher for what is missing', { a: jestExpect.not.stringContaining('x') }, {}],
])('%s are equal', (_, expected, received) => {
  expect(equals(expected, received)).toBe(true)
})

test.each<[string, unknown, unknown, string]>([
  ['a number', { a: { b: 1 } }, { a: { b: 2 } }, 'call.a.b: expected 1, received 2'],
  ['a type', { a: 1 }, { a: '1' }, "call.a: expected 1, received '1'"],
  ['zero and minus zero', 0, -0, 'call: expected 0, received -0'],
  ['what is missing', { a: 1 }, {}, 'call.a: expected 1, received nothing'],
  ['what is too much', [1], [1, 2], 'call[1]: expected nothing, received 2'],
  ['an odd key', { 'a b': 1 }, { 'a b': 2 }, 'call["a b"]: expected 1, received 2'],
  ['dates', new Date(0), new Date(1), 'call: expected 1970-01-01T00:00:00.000Z, received 1970-01-01T00:00:00.001Z'],
  ['bytes', Buffer.from('a'), Buffer.from('bc'), 'call: expected Buffer(1 bytes), received Buffer(2 bytes)'],
  ['an array and an object', [], {}, 'call: expected [], received {}'],
  ['a map', new Map([['a', 1]]), new Map([['a', 2]]), "call.get('a'): expected 1, received 2"],
  ['a key of a map', new Map(), new Map([['a', 2]]), "call.get('a'): expected nothing, received 2"],
  ['sets', new Set([1]), new Set([2]), 'call: expected Set [1], received Set [2]'],
  ["Vitest's matcher", { a: expect.any(String) }, { a: 1 }, 'call.a: expected Any<String>, received 1'],
  ["Jest's matcher", { a: jestExpect.any(Number) }, { a: 'x' }, "call.a: expected Any<Number>, received 'x'"],
  ['objects that keep their state private', new Money(1), new Money(2), 'call: expected Money {}, received Money {}'],
  ['errors', new Error('a'), new Error('b'), "call: expected Error: 'a', received Error: 'b'"],
])('%s makes a difference, and it is said where', (_, expected, received, line) => {
  expect(differences(expected, received, 'call').map((one) => printDifference(one, 90))).toEqual([line])
})

test('every difference is found, in order', () => {
  const found = differences({ a: 1, b: [1, 2], c: 3 }, { a: 2, b: [1], c: 3, d: 4 }, '')
  expect(found.map(({ path }) => path)).toEqual(['a', 'b[1]', 'd'])
})

test('a long difference takes three lines', () => {
  const [found] = differences({ a: 'x'.repeat(80) }, { a: 'y'.repeat(80) }, 'args[0]')
  expect(printDifference(found!).split('\n')).toHaveLength(3)
})
