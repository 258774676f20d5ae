import { expect as jestExpect } from 'expect'
import { expect, test } from 'vitest'
import { printCall, printShort, printValue } from './print-value.ts'

class Order {
  readonly id = 7
  get total(): number {
    throw new Error('a getter is not called')
  }
}

const circular: unknown[] = []
circular.push(circular)

const cases: readonly [unknown, string][] = [
  ["it's", `"it's"`],
  ['a "b"', `'a "b"'`],
  ['two\nlines', String.raw`'two\nlines'`],
  [-0, '-0'],
  [5n, '5n'],
  [null, 'null'],
  [Symbol('s'), 'Symbol(s)'],
  [{ a: 1, 'b c': [true, undefined] }, "{ a: 1, 'b c': [true, undefined] }"],
  [new Order(), 'Order { id: 7 }'],
  [
    {
      get now() {
        return 1
      },
    },
    '{ now: [Getter] }',
  ],
  [new Map([['a', { b: 1 }]]), "Map { 'a' => { b: 1 } }"],
  [new Set([1, 2]), 'Set [1, 2]'],
  [new Date(0), '1970-01-01T00:00:00.000Z'],
  [new Date(Number.NaN), 'Invalid Date'],
  [Buffer.from('abc'), 'Buffer(3 bytes)'],
  [new TypeError('no'), "TypeError: 'no'"],
  [function named() {}, '[Function named]'],
  [Promise.resolve(1), 'Promise'],
  [circular, '[[Circular]]'],
  [{ a: { b: { c: { d: { e: { f: 1 } } } } } }, '{ a: { b: { c: { d: { e: {…} } } } } }'],
  [expect.any(String), 'Any<String>'],
  [jestExpect.any(String), 'Any<String>'],
  [jestExpect.objectContaining({ a: 1 }), 'ObjectContaining { a: 1 }'],
  [expect.anything(), 'Anything'],
  [{ asymmetricMatch: () => true }, 'matcher'],
  ['x'.repeat(500), `'${'x'.repeat(39)}…${'x'.repeat(20)}'`],
]

test.each(cases.map(([value, text]) => ({ value, text })))('prints $text', ({ value, text }) => {
  expect(printValue(value)).toBe(text)
})

test('what does not fit on a line has a line for each entry', () => {
  const value = {
    amountCents: 100,
    items: [
      { productId: 1, name: 'Teapot' },
      { productId: 2, name: 'Cup' },
    ],
  }
  expect(printValue(value, 50)).toBe(
    [
      '{',
      '  amountCents: 100,',
      '  items: [',
      "    { productId: 1, name: 'Teapot' },",
      "    { productId: 2, name: 'Cup' },",
      '  ],',
      '}',
    ].join('\n'),
  )
})

test('a long list is cut', () => {
  expect(printValue(Array.from({ length: 1000 }, (_, index) => index)).split('\n')).toHaveLength(23)
  expect(printShort({ text: 'a long text, longer than there is room' })).toHaveLength(32)
})

test('a large object costs no more than a small one, and is cut', () => {
  const nested = (depth: number): unknown => (depth === 0 ? 1 : Array.from({ length: 20 }, () => nested(depth - 1)))
  const large = nested(4)
  expect(printValue(large).split('\n').length).toBeLessThan(300)
  expect(printShort(large)).toHaveLength(32)
  expect(printCall('charge', [large, large]).split('\n').length).toBeLessThan(300)
})

test('a proxy is not looked into', () => {
  const asked: string[] = []
  const trap = (name: string) => () => {
    asked.push(name)
    throw new Error(`asked for ${name}`)
  }
  const proxy = new Proxy({}, { get: trap('get'), ownKeys: trap('ownKeys'), getPrototypeOf: trap('getPrototypeOf') })
  expect(printValue({ client: proxy })).toBe('{ client: Proxy }')
  expect(asked).toEqual([])
})

test('a call is printed as it is written', () => {
  expect(printCall('charge', [])).toBe('charge()')
  expect(printCall('charge', [{ amountCents: 100 }, 'now'])).toBe("charge({ amountCents: 100 }, 'now')")
  expect(printCall('charge', [{ amountCents: 100, cardToken: 'tok_visa' }], 40)).toBe(
    "charge({\n  amountCents: 100,\n  cardToken: 'tok_visa',\n})",
  )
  expect(printCall('charge', ['a'.repeat(30), 'b'], 30)).toBe(`charge(\n  '${'a'.repeat(30)}',\n  'b',\n)`)
})
