import { symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeIfFound, installedRedis } from '../../support/require.ts'
import { installPackage, type InstalledPackage } from '../support/installed-package.ts'
import { runVitest } from '../support/run-vitest.ts'
import { app } from './app.ts'

const files = {
  'vitest.config.ts': app['vitest.config.ts']!,
  'vivarium.config.ts': `
    import { defineConfig } from 'vivarium'
    export default defineConfig({ redis: { env: 'CACHE_URL' } })`,
  'cache.ts': `
    import { Redis } from 'ioredis'
    export const cache = new Redis(process.env.CACHE_URL!)
    export async function greet(): Promise<string> {
      const known = await cache.get('greeting')
      if (known !== null) return known
      await cache.set('greeting', 'hello', 'EX', 60)
      return 'hello'
    }`,
  'cache.test.ts': `
    import { beforeAll, expect, test } from 'vitest'
    import { currentSandbox } from 'vivarium'
    import { cache, greet } from './cache'

    beforeAll(async () => { await cache.set('of the file', 1) })
    test('the second access hits', async () => {
      const first = await currentSandbox().observe(greet)
      const second = await currentSandbox().observe(greet)
      expect(first).toHaveCacheMiss('greeting')
      expect(first).toHaveCacheSet('greeting', { ttlMs: 60_000 })
      expect(second).toHaveCacheHit('greeting', { times: 1 })
      expect(second).not.toHaveCacheMiss()
      await cache.incr('of the file')
    })
    test('the next test has nothing of it, and what the file cached', async () => {
      expect(await cache.keys('*')).toEqual(['of the file'])
      expect(await cache.get('of the file')).toBe('1')
    })
    test('a mismatch', async () => {
      await greet()
      expect(currentSandbox()).toHaveCacheHit('greeting')
    })`,
  'concurrent.test.ts': `
    import { Redis } from 'ioredis'
    import { expect, test } from 'vitest'
    import { perSandbox } from 'vivarium'
    const cache = perSandbox(({ redis }) => new Redis(redis.url), { close: (client) => client.quit() })
    test.concurrent.for(Array.from({ length: 20 }, (_, index) => index))('%i alone', async (index) => {
      await cache.set('key', index)
      expect(await cache.keys('*')).toEqual(['key'])
      expect(await cache.get('key')).toBe(String(index))
    })`,
}

describeIfFound('redis', installedRedis(), 'Redis in Vitest', () => {
  let installed: InstalledPackage
  let folder: string

  beforeAll(async () => {
    installed = await installPackage()
    folder = installed.writeProject('redis-app', files)
    const ioredis = dirname(createRequire(import.meta.url).resolve('ioredis/package.json'))
    symlinkSync(ioredis, join(installed.folder, 'node_modules/ioredis'))
  })
  afterAll(() => installed?.[Symbol.asyncDispose]())

  test.each(['forks', 'threads'])('each test has a Redis of its own, and the run ends: pool %s', async (pool) => {
    const outcome = await runVitest(folder, { args: [`--pool=${pool}`] })
    const failed = outcome.tests.filter(({ status }) => status !== 'passed')
    expect(failed.map(({ title }) => title)).toEqual(['a mismatch'])
    expect(outcome.tests).toHaveLength(23)
    expect(failed[0]?.failureMessages.join()).toContain('Expected a hit of "greeting", and there was none.')
    expect(outcome.code).toBe(1)
  })
})
