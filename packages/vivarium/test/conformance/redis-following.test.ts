import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openVivarium, type SandboxFailures, type Vivarium } from '../../src/index.ts'
import { startRedisServer } from '../../src/redis/server/own-server.ts'
import { type HeldWay, openHeldWay } from '../support/held-way.ts'
import { describeIfFound, installedRedis } from '../support/require.ts'
import { connectWire } from '../support/resp-wire.ts'

describeIfFound('redis', installedRedis(), 'a connection on the stable URL', () => {
  let vivarium: Vivarium

  beforeAll(async () => {
    vivarium = await openVivarium({ redis: {} })
  })
  afterAll(() => vivarium?.close())

  const refuseStable = (onRefused: () => void): (() => void) =>
    (vivarium as unknown as { refuseStableUrl(told: () => void): () => void }).refuseStableUrl(onRefused)

  describe('on a slow way to the server', () => {
    let way: HeldWay
    let there: Vivarium

    beforeAll(async () => {
      way = await openHeldWay(vivarium.redis.serverUrl)
      there = await openVivarium({ redis: { url: way.url } })
    })
    afterAll(async () => {
      await there?.close()
      way?.close()
    })

    test('what the server has not begun with when its sandbox is left ends when it begins', async () => {
      await using file = await there.openSandbox()
      const consumer = await connectWire(there.redis.url)
      await consumer.command('GET', 'a')
      way.hold('BLPOP')
      consumer.send('BLPOP', 'queue', '0')
      await way.holds()
      const opening = there.openSandbox({ within: file })
      await way.sees('UNBLOCK', 2)
      way.release()
      expect(await consumer.next()).toBe(null)
      await using _test = await opening
      const waiting = consumer.command('BLPOP', 'queue', '0')
      const producer = await connectWire(there.redis.url)
      await producer.command('RPUSH', 'queue', 'job')
      expect(await waiting).toEqual(['queue', 'job'])
      for (const wire of [consumer, producer]) wire.end()
    })

    test('what waits in the sandbox that follows is not ended in its stead', async () => {
      await using file = await there.openSandbox()
      const consumer = await connectWire(there.redis.url)
      await consumer.command('GET', 'a')
      way.hold('UNBLOCK')
      consumer.send('XREAD', 'BLOCK', '0', 'STREAMS', 'log', '$')
      const outside = await connectWire(file.redis.url)
      await outside.command('GET', 'a')
      const opening = there.openSandbox({ within: file })
      await way.holds()
      // It ends by itself, and the client waits again before the server is told.
      await outside.command('XADD', 'log', '1-1', 'of', 'file')
      expect(await consumer.next()).toEqual([['log', [['1-1', ['of', 'file']]]]])
      consumer.send('XREAD', 'BLOCK', '0', 'STREAMS', 'log', '$')
      for (let trip = 0; trip < 5; trip++) await outside.command('GET', 'a')
      way.release()
      await using _test = await opening
      const inside = await connectWire(there.redis.url)
      await inside.command('XADD', 'log', '1-1', 'of', 'test')
      expect(await consumer.next()).toEqual([['log', [['1-1', ['of', 'test']]]]])
      for (const wire of [consumer, outside, inside]) wire.end()
    })
  })

  test('what is only subscribed fails nothing while concurrent tests run, and hears the current sandbox alone', async () => {
    let refused = 0
    await using file = await vivarium.openSandbox()
    const subscriber = await connectWire(vivarium.redis.url)
    await subscriber.command('SUBSCRIBE', 'news')
    const allow = refuseStable(() => void refused++)
    await using concurrent = await vivarium.openSandbox({ concurrent: true })
    const there = await connectWire(concurrent.redis.url)
    expect(await there.command('PUBLISH', 'news', 'of a concurrent test')).toBe(0)
    const inside = await vivarium.openSandbox({ within: file })
    const here = await connectWire(inside.redis.url)
    expect(await here.command('PUBLISH', 'news', 'of the current one')).toBe(1)
    expect(await subscriber.next()).toEqual(['message', 'news', 'of the current one'])
    await inside.close()
    expect(await subscriber.command('UNSUBSCRIBE', 'news')).toEqual(['unsubscribe', 'news', 0])
    expect(refused).toBe(0)
    allow()
    for (const wire of [subscriber, there]) wire.end()
  })

  test('what subscribes while concurrent tests run is refused, with the remedy', async () => {
    let refused = 0
    await using _file = await vivarium.openSandbox()
    const allow = refuseStable(() => void refused++)
    const subscriber = await connectWire(vivarium.redis.url)
    expect(await subscriber.command('SUBSCRIBE', 'news')).toEqual({
      error: expect.stringMatching(/^STABLE_URL_AMBIGUOUS .*redis\.url/),
    })
    expect(refused).toBe(1)
    allow()
    expect(await subscriber.command('SUBSCRIBE', 'news')).toEqual(['subscribe', 'news', 1])
    subscriber.end()
  })

  test('a server that stands still does not hold up the next sandbox: its connection is ended, and that is told', async () => {
    const server = await startRedisServer()
    const there = await openVivarium({ redis: { url: server.url } })
    const info = await connectWire(server.url)
    const pid = Number(/^process_id:(\d+)/m.exec(String(await info.command('INFO', 'server')))?.[1])
    info.end()
    try {
      const subscriber = await connectWire(there.redis.url)
      await using file = await there.openSandbox()
      await subscriber.command('SUBSCRIBE', 'news')
      process.kill(pid, 'SIGSTOP')
      const sandbox = await there.openSandbox({ within: file, title: 'the next one' })
      await subscriber.closed
      const failed = await sandbox.close().catch((error: SandboxFailures) => error)
      expect((failed as SandboxFailures).errors).toMatchObject([
        { code: 'CONNECTION_NOT_MOVED', message: expect.stringMatching(/"the next one".*within 2000 ms/) },
      ])
    } finally {
      process.kill(pid, 'SIGCONT')
      await there.close()
      await server.close()
    }
  })
})
