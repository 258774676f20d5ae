import { once } from 'node:events'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openVivarium, type Sandbox, type Vivarium } from '../../../src/index.ts'
import { describeIfFound, installedRedis } from '../../support/require.ts'

describeIfFound('redis', installedRedis(), 'Redis clients', () => {
  let vivarium: Vivarium
  let sandbox: Sandbox

  beforeAll(async () => {
    vivarium = await openVivarium({ redis: {} })
    sandbox = await vivarium.openSandbox()
  })
  afterAll(async () => {
    await sandbox?.close()
    await vivarium?.close()
  })

  // The plain server shows that what is expected here is what the clients do anyway.
  describe.each(['plain', 'stable', 'pinned'] as const)('on the %s URL', (kind) => {
    const url = (): string =>
      ({ plain: vivarium.redis.serverUrl, stable: vivarium.redis.url, pinned: sandbox.redis.url })[kind]

    test.each([2, 3] as const)(
      'node-redis with RESP%i: hashes, scans, transactions, channels, blocking',
      async (RESP) => {
        const client = await createClient({ url: url(), RESP, name: 'an-application' }).connect()
        await client.flushAll()
        await client.hSet('user:1', { name: 'Ada', age: '36' })
        expect({ ...(await client.hGetAll('user:1')) }).toEqual({ name: 'Ada', age: '36' })
        expect(await client.clientGetName()).toBe('an-application')
        const scanned: string[] = []
        for await (const keys of client.scanIterator({ MATCH: 'user:*' })) scanned.push(...keys)
        expect(scanned).toEqual(['user:1'])
        expect(await client.multi().set('n', '1').incr('n').keys('*').exec()).toEqual([
          'OK',
          2,
          expect.arrayContaining(['n', 'user:1']),
        ])
        const other = await client.duplicate().connect()
        await client.watch('n')
        await other.set('n', '9')
        await expect(client.multi().incr('n').exec()).rejects.toThrow('watched')
        const popped = other.blPop('list', 5)
        await client.rPush('list', 'x')
        expect({ ...(await popped) }).toEqual({ key: 'list', element: 'x' })
        const heard = new Promise((resolve) => {
          void other
            .pSubscribe('news:*', (message, channel) => resolve([channel, message]))
            .then(() => client.publish('news:1', 'hello'))
        })
        expect(await heard).toEqual(['news:1', 'hello'])
        await other.pUnsubscribe()
        // With RESP2 that client goes on reading bytes once it was subscribed.
        expect(String(await other.get('n'))).toBe('9')
        await client.xAdd('log', '*', { a: '1' })
        await client.xGroupCreate('log', 'g', '0')
        expect(await client.xReadGroup('g', 'c', { key: 'log', id: '>' })).toMatchObject([
          { name: 'log', messages: [{ message: { a: '1' } }] },
        ])
        expect(await client.eval("return redis.call('get', KEYS[1])", { keys: ['n'] })).toBe('9')
        await Promise.all([client.close(), other.close()])
      },
    )

    test('node-redis with its cache in the client is told of changes', async () => {
      const cached = await createClient({
        url: url(),
        RESP: 3,
        clientSideCache: { ttl: 0, maxEntries: 0, evictPolicy: 'LRU' },
      }).connect()
      const other = await createClient({ url: url() }).connect()
      await other.set('cached', '1')
      expect([await cached.get('cached'), await cached.get('cached')]).toEqual(['1', '1'])
      await other.set('cached', '2')
      await expect.poll(() => cached.get('cached'), { timeout: 3000 }).toBe('2')
      await Promise.all([cached.close(), other.close()])
    })

    test('ioredis: pipelines, transactions, scripts, channels, scans, another database', async () => {
      const client = new Redis(url(), { connectionName: 'an-application' })
      await client.flushall()
      expect(await client.pipeline().set('a', '1').incr('a').get('a').lpush('a', 'x').exec()).toEqual([
        [null, 'OK'],
        [null, 2],
        [null, '2'],
        [expect.objectContaining({ message: expect.stringContaining('WRONGTYPE') })],
      ])
      expect(await client.multi().hset('h', 'f', 'v').hgetall('h').exec()).toEqual([
        [null, 1],
        [null, { f: 'v' }],
      ])
      client.defineCommand('double', { numberOfKeys: 1, lua: "return redis.call('get', KEYS[1]) * 2" })
      const double = (client as unknown as { double(key: string): Promise<number> }).double.bind(client)
      expect([await double('a'), await double('a')]).toEqual([4, 4])
      const found: string[] = []
      for await (const keys of client.scanStream({ match: '*' })) found.push(...(keys as string[]))
      expect(found.toSorted()).toEqual(['a', 'h'])
      const listener = client.duplicate()
      await listener.subscribe('news', 'other')
      const message = once(listener, 'message')
      await client.publish('news', 'hello')
      expect(await message).toEqual(['news', 'hello'])
      await listener.unsubscribe('news')
      expect(await client.publish('news', 'nobody')).toBe(0)
      const second = new Redis(url(), { db: 2 })
      expect([await second.dbsize(), await second.set('a', 'two'), await client.get('a')]).toEqual([0, 'OK', '2'])
      expect(await client.brpop('nothing', 0.05)).toBe(null)
      await Promise.all([client.quit(), listener.quit(), second.quit()])
    })
  })
})
