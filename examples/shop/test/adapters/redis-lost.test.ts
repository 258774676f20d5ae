// What the shop does while Redis cannot be reached, and once it can be again.
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { openRedisCache } from '../../src/cache/redis-cache.ts'
import { openRedisPubSub } from '../../src/pub-sub/redis-pub-sub.ts'
import type { Json } from '../../src/json.ts'
import type { Report } from '../../src/report.ts'
import { onRedis, timeoutMs } from '../support/adapters.ts'
import { openCuttableLine } from '../support/cuttable-line.ts'
import type { CuttableLine } from '../support/cuttable-line.ts'
import { fromEnvironment } from '../support/test-shop.ts'

async function givenLine(): Promise<CuttableLine> {
  const line = await openCuttableLine(fromEnvironment('REDIS_URL'))
  onTestFinished(() => line[Symbol.asyncDispose]())
  return line
}

describe('Redis that cannot be reached', onRedis, () => {
  test('reads of the cache fail at once, a deletion waits until it can be made', async () => {
    // Given a cache with a value, whose connection is lost
    const line = await givenLine()
    const report = vi.fn<Report>()
    const cache = openRedisCache({ url: line.url, timeoutMs, report })
    onTestFinished(() => cache.close())
    const { ticket } = await cache.read('greeting')
    await cache.fill('greeting', 'hello', { ticket, ttlMs: 60_000 })
    line.cut()

    await vi.waitFor(() => expect(report).toHaveBeenCalledWith('The connection to Redis is lost', expect.any(Error)))

    // When it is read, then that fails, in much less than the time that a command has
    await expect(cache.read('greeting')).rejects.toThrow('Redis cannot be reached.')
    // and what is deleted meanwhile is gone when the connection is back
    const deleting = cache.delete('greeting')
    line.mend()
    await deleting
    expect(await cache.read('greeting')).toEqual({ value: undefined, ticket: expect.not.stringMatching(ticket) })
  })

  test('a command fails when its time is up', async () => {
    // Given a cache whose connection is lost
    const line = await givenLine()
    const cache = openRedisCache({ url: line.url, timeoutMs: 20, report: () => {} })
    onTestFinished(() => cache.close())
    line.cut()

    // When a key is deleted, then that fails
    await expect(cache.delete('greeting')).rejects.toThrow('Command timed out')
  })

  test('who listens hears again what is published once the connection is back', async () => {
    // Given somebody who listens, and loses the connection
    const line = await givenLine()
    const pubSub = openRedisPubSub({ url: line.url, timeoutMs, report: () => {} })
    const publisher = openRedisPubSub({ url: fromEnvironment('REDIS_URL'), timeoutMs })
    onTestFinished(async () => {
      await Promise.all([pubSub.close(), publisher.close()])
    })
    const heard: Json[] = []
    await pubSub.subscribe('news', (message) => heard.push(message))
    line.cut()
    line.mend()

    // When messages are published, then they arrive from some moment on
    await expect
      .poll(async () => {
        await publisher.publish('news', 'hello')
        return heard
      })
      .toContain('hello')
  })
})
