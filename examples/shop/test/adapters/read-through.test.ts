// What can go wrong between a cache and the database: a reader who is overtaken by a change, and a cache that is broken.
import { setImmediate } from 'node:timers/promises'
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { defineMock } from 'vivarium/mock'
import { z } from 'zod'
import type { Cache } from '../../src/cache/cache.ts'
import { createMemoryCache } from '../../src/cache/memory-cache.ts'
import { createReadThrough } from '../../src/cache/read-through.ts'
import type { Report } from '../../src/report.ts'
import { describeOnEachAdapter, openCache } from '../support/adapters.ts'

const ttlMs = 60_000
const report = vi.fn<Report>()
beforeEach(() => {
  report.mockClear()
})

/** A database read that ends when the test says so, and with what. */
function heldLoad(): { load: () => Promise<string | undefined>; begun: Promise<void>; end: (value: string) => void } {
  let end!: (value: string) => void
  let begin!: () => void
  const value = new Promise<string>((resolve) => (end = resolve))
  const begun = new Promise<void>((resolve) => (begin = resolve))
  return {
    load: () => {
      begin()
      return value
    },
    begun,
    end,
  }
}

describeOnEachAdapter('a reader who is overtaken by a change', (adapter) => {
  const cache = openCache(adapter)
  const greetings = createReadThrough({ cache, ttlMs, schema: z.string(), report })
  afterAll(() => cache.close())

  test('does not put the old value back', async () => {
    // Given a reader who has begun to read the old value
    const old = heldLoad()
    const reading = greetings.read('greeting', old.load)
    await old.begun

    // When the value is changed and invalidated, and then the reader comes back with the old one
    await greetings.invalidate('greeting')
    old.end('old')
    expect(await reading).toBe('old')

    // Then whoever reads from now on loads the new one
    expect(await greetings.read('greeting', async () => 'new')).toBe('new')
    expect(await greetings.read('greeting', async () => 'not asked for')).toBe('new')
  })

  test('does not put it over the new value', async () => {
    // Given the same, and another one who has read the new value meanwhile
    const old = heldLoad()
    const reading = greetings.read('greeting', old.load)
    await old.begun
    await greetings.invalidate('greeting')
    await greetings.read('greeting', async () => 'new')

    // When the first comes back
    old.end('old')
    await reading

    // Then the next one does not get the old value
    expect(await greetings.read('greeting', async () => 'new')).toBe('new')
  })

  test('is not waited for by one who reads after the change', async () => {
    // Given a reader who is still reading the old value, and a change
    const old = heldLoad()
    const reading = greetings.read('greeting', old.load)
    await old.begun
    await greetings.invalidate('greeting')

    // When somebody reads, then they get the new value, and have not waited
    expect(await greetings.read('greeting', async () => 'new')).toBe('new')
    old.end('old')
    expect(await reading).toBe('old')
  })

  test('readers of one value share a load, and its failure; the next one tries again', async () => {
    // Given two who read at once, and a load that lasts until the cache has answered both, in their order
    let fail!: (error: Error) => void
    const load = vi.fn<() => Promise<string>>(() => new Promise((_, reject) => (fail = reject)))
    const reading = Promise.allSettled([greetings.read('greeting', load), greetings.read('greeting', load)])
    await cache.read('greeting')
    await setImmediate()

    // When the load fails, then both learn it
    fail(new Error('connection lost'))
    expect(await reading).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }])
    expect(load).toHaveBeenCalledTimes(1)
    // and another load is another attempt
    expect(await greetings.read('greeting', async () => 'hello')).toBe('hello')
  })

  test('what was cached in another form is loaded again, and replaced', async () => {
    // Given a value that an older version of the shop has cached
    const { ticket } = await cache.read('greeting')
    await cache.fill('greeting', { text: 'hello' }, { ticket, ttlMs })

    // When it is read, then from the database
    expect(await greetings.read('greeting', async () => 'hello')).toBe('hello')
    expect((await cache.read('greeting')).value).toBe('hello')
  })
})

describe('a cache that is broken', () => {
  const cache = defineMock<Cache>('Cache')
  const greetings = createReadThrough({ cache: cache.double, ttlMs, schema: z.string(), report })
  const broken = new Error('connect ECONNREFUSED')

  test('that cannot be read: the value is loaded, and the failure reported', async () => {
    cache.expect.read().rejects(broken)
    cache.deny.fill()
    expect(await greetings.read('greeting', async () => 'hello')).toBe('hello')
    expect(report).toHaveBeenCalledWith('greeting could not be read from the cache', broken)
  })

  test('that cannot be filled: the value is there all the same', async () => {
    cache.stubAll(createMemoryCache())
    cache.expect.fill().rejects(broken)
    expect(await greetings.read('greeting', async () => 'hello')).toBe('hello')
    expect(report).toHaveBeenCalledWith('greeting could not be cached', broken)
  })

  test('that cannot forget: the change stands, and the failure is reported', async () => {
    cache.expect.delete('greeting').rejects(broken)
    await greetings.invalidate('greeting')
    expect(report).toHaveBeenCalledWith('greeting could not be invalidated', broken)
  })
})
