import { runInThisContext } from 'node:vm'
import { expect, test } from 'vitest'
import { parameterCount } from './parameter-count.ts'

const key = 'computed'

/** A function whose source the compiler has not touched. */
function written(source: string): (...args: never[]) => unknown {
  return runInThisContext(source) as (...args: never[]) => unknown
}

/** Compiled code of a module keeps its source; nothing here is ever called. */
const functions: Readonly<Record<string, [fn: (...args: never[]) => unknown, count: number | undefined]>> = {
  none: [() => 1, 0],
  'one without parentheses': [written('request => request'), 1],
  'an async one without parentheses': [written('async request => request'), 1],
  two: [(a: number, b: number) => a + b, 2],
  'a default': [(a: number, b: number = 2) => a + b, 2],
  'a default with commas': [(a: number, b: { c: string } = { c: '1, (2), 3' }) => a + b.c, 2],
  patterns: [({ a, b }: { a: number; b: number }, [c, d]: [number, number]) => a + b + c + d, 2],
  rest: [(a: number, ...more: number[]) => a + more.length, undefined],
  'rest alone': [(...more: number[]) => more.length, undefined],
  'rest in a pattern only': [({ a, ...more }: { a: number }) => [a, more], 1],
  'the arguments object': [
    function () {
      return arguments.length
    },
    undefined,
  ],
  'a method': [
    {
      charge(request: number) {
        return request
      },
    }.charge,
    1,
  ],
  'an async method with a computed name': [
    {
      async [`${key}(a, b)`](request: number) {
        return request
      },
    }['computed(a, b)']!,
    1,
  ],
  comments: [written('(a /* , b */, // , c\n d,) => a + d'), 2],
  'built in': [Array.prototype.push, undefined],
  bound: [((a: number) => a).bind(undefined), undefined],
}

test.each(Object.entries(functions))('how many arguments are taken: %s', (_, [fn, count]) => {
  expect(parameterCount(fn)).toBe(count)
})
