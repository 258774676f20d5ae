// What every cache must do, whatever it keeps its values in: one suite for all adapters.
import { afterAll, describe, expect, test } from 'vitest'
import type { Cache } from '../../src/cache/cache.ts'
import { createMemoryCache } from '../../src/cache/memory-cache.ts'
import { describeOnEachAdapter, openCache } from '../support/adapters.ts'

const ttlMs = 60_000

/** Caches a value as a reader does who has found none. */
async function fill(cache: Cache, key: string, value: Parameters<Cache['fill']>[1]): Promise<void> {
  const { ticket } = await cache.read(key)
  await cache.fill(key, value, { ticket, ttlMs })
}

describeOnEachAdapter('a cache', (adapter) => {
  const cache = openCache(adapter)
  afterAll(() => cache.close())

  test('has nothing at first', async () => {
    expect(await cache.read('greeting')).toEqual({ value: undefined, ticket: expect.any(String) })
  })

  test.each([['hello'], [0], [false], [null], [[1, ['two']]], [{ deep: { and: [true, null] }, ключ: '🫖' }]])(
    'gives back %j as it was',
    async (value) => {
      // When it is cached, then it is there, and under no other key
      await fill(cache, 'greeting', value)
      expect((await cache.read('greeting')).value).toEqual(value)
      expect((await cache.read('greeting:other')).value).toBeUndefined()
    },
  )

  test('gives each reader a value of their own', async () => {
    // Given a cached list
    const list = ['hello']
    await fill(cache, 'greetings', list)

    // When the one who cached it changes it, and somebody who read it
    list.push('and')
    const { value } = await cache.read('greetings')
    ;(value as string[]).push('goodbye')

    // Then the next one does not see that
    expect((await cache.read('greetings')).value).toEqual(['hello'])
  })

  test('replaces a value by the next', async () => {
    await fill(cache, 'greeting', 'hello')
    await fill(cache, 'greeting', 'good morning')
    expect((await cache.read('greeting')).value).toBe('good morning')
  })

  test('forgets a value once its time is up', async () => {
    // When a value is cached for a millisecond, then it is soon gone
    const { ticket } = await cache.read('greeting')
    await cache.fill('greeting', 'hello', { ticket, ttlMs: 1 })
    await expect.poll(async () => (await cache.read('greeting')).value).toBeUndefined()
  })

  test.each([0, -1, 1.5, NaN, 3_600_001])('a time to live of %d is refused', async (notATime) => {
    const { ticket } = await cache.read('greeting')
    await expect(cache.fill('greeting', 'hello', { ticket, ttlMs: notATime })).rejects.toThrow('ttlMs is')
    expect((await cache.read('greeting')).value).toBeUndefined()
  })

  test('a deleted value is gone, others stay', async () => {
    await fill(cache, 'greeting', 'hello')
    await fill(cache, 'farewell', 'goodbye')
    await cache.delete('greeting')
    await cache.delete('never there')
    expect((await cache.read('greeting')).value).toBeUndefined()
    expect((await cache.read('farewell')).value).toBe('goodbye')
  })

  test('what was read before a deletion cannot be cached after it', async () => {
    // Given a reader who found nothing, and is still reading the database
    const { ticket } = await cache.read('greeting')

    // When the key is deleted meanwhile, and the reader comes back
    await cache.delete('greeting')
    await cache.fill('greeting', 'stale', { ticket, ttlMs })

    // Then the value is not there, and whoever reads from now on can cache theirs
    expect((await cache.read('greeting')).value).toBeUndefined()
    await fill(cache, 'greeting', 'fresh')
    expect((await cache.read('greeting')).value).toBe('fresh')
  })

  test('a second deletion makes the tickets of between void, too', async () => {
    await cache.delete('greeting')
    const { ticket } = await cache.read('greeting')
    await cache.delete('greeting')
    await cache.fill('greeting', 'stale', { ticket, ttlMs })
    expect((await cache.read('greeting')).value).toBeUndefined()
  })

  test('the deletion of another key makes no ticket void', async () => {
    const { ticket } = await cache.read('greeting')
    await cache.delete('farewell')
    await cache.fill('greeting', 'hello', { ticket, ttlMs })
    expect((await cache.read('greeting')).value).toBe('hello')
  })

  test('a late reader does not replace what was cached after the deletion', async () => {
    const { ticket } = await cache.read('greeting')
    await cache.delete('greeting')
    await fill(cache, 'greeting', 'fresh')
    await cache.fill('greeting', 'stale', { ticket, ttlMs })
    expect((await cache.read('greeting')).value).not.toBe('stale')
  })

  test('closes twice', async () => {
    const other = openCache(adapter)
    await other.read('greeting')
    await other.close()
    await other.close()
  })
})

describe('a cache in memory', () => {
  test('gives up what was not used for longest', async () => {
    // Given a cache for two keys, with two in it, of which the first was used again
    const cache = createMemoryCache({ maxKeys: 2 })
    await fill(cache, 'first', 1)
    await fill(cache, 'second', 2)
    await cache.read('first')

    // When there is a third, then the second makes room
    await fill(cache, 'third', 3)
    const values = [await cache.read('first'), await cache.read('second'), await cache.read('third')]
    expect(values.map(({ value }) => value)).toEqual([1, undefined, 3])
  })

  test('still refuses what was read before a deletion that it has given up', async () => {
    const cache = createMemoryCache({ maxKeys: 1 })
    const { ticket } = await cache.read('greeting')
    await cache.delete('greeting')
    await cache.delete('farewell')
    await cache.fill('greeting', 'stale', { ticket, ttlMs })
    expect((await cache.read('greeting')).value).toBeUndefined()
  })

  test('keeps a value to the millisecond', async () => {
    // Given a value that was cached for a second
    let now = 0
    const cache = createMemoryCache({ now: () => now })
    const { ticket } = await cache.read('greeting')
    await cache.fill('greeting', 'hello', { ticket, ttlMs: 1000 })

    // Then it is there until then, and no longer
    now = 999
    expect((await cache.read('greeting')).value).toBe('hello')
    now = 1000
    expect((await cache.read('greeting')).value).toBeUndefined()
  })
})
