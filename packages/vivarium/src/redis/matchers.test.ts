import { expect, test } from 'vitest'
import type { ObservedCommand } from '../core/interactions.ts'
import { cacheUses } from './cache-uses.ts'
import { cacheMatchers, type CacheMatcherResult } from './matchers.ts'

const plain: ObservedCommand = {
  component: 'redis',
  command: 'GET',
  args: [],
  keys: [],
  effect: 'read',
  hits: [],
  misses: [],
  ttlMs: undefined,
  durationMs: 1,
  error: undefined,
  connection: 1,
  transaction: undefined,
  at: 0,
}

const commands: readonly ObservedCommand[] = [
  { ...plain, keys: ['user:1'], misses: ['user:1'] },
  { ...plain, command: 'SET', keys: ['user:1'], effect: 'write', ttlMs: 60_000 },
  { ...plain, keys: ['user:1'], hits: ['user:1'] },
  { ...plain, command: 'MGET', keys: ['user:1', 'user:2'], hits: ['user:1'], misses: ['user:2'] },
  { ...plain, command: 'HSET', keys: ['cart'], effect: 'write' },
  { ...plain, command: 'EXPIRE', keys: ['cart'], effect: 'write', ttlMs: 5000 },
  { ...plain, command: 'DEL', keys: ['user:1', `a very long key ${'x'.repeat(100)}`], effect: 'delete' },
  { ...plain, command: 'SET', keys: ['failed'], effect: 'write', error: 'OOM' },
]
const trace = { commands }

const { toHaveCacheHit, toHaveCacheMiss, toHaveCacheSet, toHaveCacheDelete } = cacheMatchers

test('each use of a key is told by what came of it; a command that failed is none', () => {
  expect(cacheUses(trace).map(({ kind, key, ttlMs }) => [kind, key.slice(0, 6), ttlMs])).toEqual([
    ['miss', 'user:1', undefined],
    ['set', 'user:1', 60_000],
    ['hit', 'user:1', undefined],
    ['hit', 'user:1', undefined],
    ['miss', 'user:2', undefined],
    ['set', 'cart', 5000],
    ['delete', 'user:1', undefined],
    ['delete', 'a very', undefined],
  ])
})

test.each<[string, CacheMatcherResult, boolean]>([
  ['a hit', toHaveCacheHit(trace, 'user:1'), true],
  ['two hits', toHaveCacheHit(trace, 'user:1', { times: 2 }), true],
  ['one hit', toHaveCacheHit(trace, 'user:1', { times: 1 }), false],
  ['no hit', toHaveCacheHit(trace, 'user:2'), false],
  ['a miss by regular expression', toHaveCacheMiss(trace, /^user:/, { times: 2 }), true],
  ['a set with its time to live', toHaveCacheSet(trace, 'user:1', { ttlMs: 60_000 }), true],
  ['a set with another', toHaveCacheSet(trace, 'user:1', { ttlMs: 1 }), false],
  ['a time to live by matcher', toHaveCacheSet(trace, 'cart', { ttlMs: expect.closeTo(5001, -2) as never }), true],
  ['a set that failed', toHaveCacheSet(trace, 'failed'), false],
  ['EXPIRE alone is no set', toHaveCacheSet({ commands: commands.slice(5, 6) }), false],
  ['a delete by asymmetric matcher', toHaveCacheDelete(trace, expect.stringContaining('long key') as never), true],
  ['any delete', toHaveCacheDelete(trace), true],
])('%s', (_, result, pass) => {
  expect(result.pass).toBe(pass)
})

test('a failure shows everything that was done with the cache, in 80 columns', () => {
  const message = toHaveCacheHit(trace, 'user:2').message()
  expect(message).toMatchInlineSnapshot(`
    "Expected a hit of "user:2", and there was none.
      What was done with the cache:
        user:1  GET, missed
        user:1  SET, set for 60000 ms
        user:1  GET, hit
        user:1  MGET, hit
        user:2  MGET, missed
        cart  HSET, set for 5000 ms
        user:1  DEL, deleted
        a very long key xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…  DEL, deleted"
  `)
  expect(Math.max(...message.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  expect(toHaveCacheHit({ commands: [] }).message()).toMatchInlineSnapshot(`
    "Expected a hit, and there was none.
      Nothing was read from, set in or deleted from the cache."
  `)
  expect(toHaveCacheSet(trace, 'cart', { ttlMs: 5000, times: 2 }).message()).toMatch(
    /^Expected 2 sets of "cart" for 5000 ms, and there was 1\.\n/,
  )
})

test('what has no commands is refused', () => {
  expect(() => toHaveCacheHit({} as never)).toThrow(TypeError)
})
