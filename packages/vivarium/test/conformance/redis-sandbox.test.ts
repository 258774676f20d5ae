import { once } from 'node:events'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openVivarium, perSandbox, type Sandbox, SandboxFailures, type Vivarium } from '../../src/index.ts'
import { runInSandbox } from '../../src/vivarium/current-sandbox.ts'
import { startRedisServer } from '../../src/redis/server/own-server.ts'
import type { RedisServer } from '../../src/redis/server/redis-server.ts'
import { describeIfFound, installedRedis } from '../support/require.ts'
import { connectWire, type RespWire } from '../support/resp-wire.ts'

async function codesOf(closing: Promise<void>): Promise<string[]> {
  try {
    await closing
    return []
  } catch (error) {
    if (!(error instanceof SandboxFailures)) throw error
    return error.errors.map((one) => String((one as { code?: unknown }).code))
  }
}

/** Everything that a server holds, in all its databases: each key's value as it is stored, and when it expires. */
async function holdings(plain: RespWire): Promise<Record<string, unknown>> {
  const held: Record<string, unknown> = {}
  for (let database = 0; database < 16; database++) {
    await plain.command('SELECT', String(database))
    for (const key of (await plain.command('KEYS', '*')) as string[]) {
      const value = await plain.command('DUMP', key)
      held[`${database} ${key}`] = { value, expires: await plain.command('PEXPIRETIME', key) }
    }
  }
  return held
}

describeIfFound('redis', installedRedis(), 'Redis in sandboxes', () => {
  let vivarium: Vivarium
  const open: { close(): unknown }[] = []

  beforeAll(async () => {
    vivarium = await openVivarium({ redis: {} })
  })
  afterAll(() => vivarium?.close())

  async function withWires<T>(urls: readonly string[], use: (...wires: RespWire[]) => Promise<T>): Promise<T> {
    const wires = await Promise.all(urls.map(connectWire))
    try {
      return await use(...wires)
    } finally {
      for (const wire of wires) wire.end()
    }
  }

  /** Opens sandboxes beside one another and closes what the test leaves open. */
  async function withSandboxes<T>(count: number, use: (...sandboxes: Sandbox[]) => Promise<T>): Promise<T> {
    const sandboxes = await Promise.all(
      Array.from({ length: count }, () => vivarium.openSandbox({ concurrent: count > 1 })),
    )
    try {
      return await use(...sandboxes)
    } finally {
      for (const one of open.splice(0)) await one.close()
      for (const sandbox of sandboxes) await sandbox.close().catch(() => undefined)
    }
  }

  test('each sandbox starts with an empty keyspace of its own', async () => {
    await withSandboxes(2, async (one, other) => {
      await withWires([one.redis.url, other.redis.url], async (a, b) => {
        expect(await a.command('SET', 'key', 'of a')).toBe('OK')
        expect(await b.command('DBSIZE')).toBe(0)
        expect(await b.command('GET', 'key')).toBe(null)
        expect(await b.command('SET', 'key', 'of b')).toBe('OK')
        expect(await b.command('FLUSHALL')).toBe('OK')
        expect(await a.command('GET', 'key')).toBe('of a')
      })
    })
  })

  test('what a sandbox leaves is cleared, also what only a script has named', async () => {
    await withSandboxes(1, async (sandbox) => {
      await withWires([vivarium.redis.url, vivarium.redis.serverUrl], async (wire, plain) => {
        await wire.command('SET', 'named', '1')
        await wire.command('EVAL', "redis.call('set', 'un' .. 'named', 1)", '0')
        expect(await plain.command('DBSIZE')).toBe(2)
        await sandbox.close()
        await vivarium.openSandbox().then(async (next) => {
          await wire.command('PING')
          expect(await wire.command('KEYS', '*')).toEqual([])
          await next.close()
        })
      })
    })
    await using other = await openVivarium({ redis: { url: vivarium.redis.serverUrl } })
    await other.close()
    await withWires([vivarium.redis.serverUrl], async (plain) => {
      expect(await plain.command('KEYS', '*')).toEqual([])
    })
  })

  test('the stable URL follows the current sandbox, and a pinned one ends with its own', async () => {
    const first = await vivarium.openSandbox()
    await withWires([vivarium.redis.url, first.redis.url], async (stable, pinned) => {
      await stable.command('SET', 'a', 'first')
      expect(await pinned.command('GET', 'a')).toBe('first')
      await first.close()
      await pinned.closed
      const second = await vivarium.openSandbox()
      expect(await stable.command('GET', 'a')).toBe(null)
      await second.close()
      expect(await stable.command('GET', 'a')).toEqual({ error: expect.stringMatching(/^NO_SANDBOX /) })
      expect(await stable.command('PING')).toBe('PONG')
    })
  })

  test('a client without the password, or with another, is not let in', async () => {
    await withSandboxes(1, async (sandbox) => {
      const { port, username } = new URL(sandbox.redis.url)
      await withWires([`redis://127.0.0.1:${port}`], async (wire) => {
        expect(await wire.command('GET', 'a')).toEqual({ error: 'NOAUTH Authentication required.' })
        expect(await wire.command('AUTH', username, 'wrong')).toEqual({ error: expect.stringMatching(/^WRONGPASS /) })
        expect(await wire.command('HELLO', '3', 'AUTH', 'default', 'wrong')).toEqual({
          error: expect.stringMatching(/^WRONGPASS /),
        })
      })
    })
  })

  test('while concurrent tests run the stable URL is refused, and says what to use', async () => {
    const allow = (vivarium as unknown as { refuseStableUrl(told: () => void): () => void }).refuseStableUrl(
      () => undefined,
    )
    await withSandboxes(2, async (one) => {
      await withWires([vivarium.redis.url, one.redis.url], async (stable, pinned) => {
        expect(await stable.command('GET', 'a')).toEqual({
          error: expect.stringMatching(/^STABLE_URL_AMBIGUOUS .*redis\.url/s),
        })
        expect(await pinned.command('GET', 'a')).toBe(null)
      })
    }).finally(allow)
  })

  describe('nested sandboxes', () => {
    test('what a file has cached is there for each of its tests, and as it was afterwards', async () => {
      const file = await vivarium.openSandbox({ title: 'the file' })
      await withWires([vivarium.redis.url], async (wire) => {
        await wire.command('SET', 'shared', 'file', 'EX', '1000')
        await wire.command('RPUSH', 'list', 'a', 'b')
        await wire.command('SELECT', '3')
        await wire.command('SET', 'in3', '1')
        await wire.command('SELECT', '0')
        for (const name of ['first', 'second']) {
          const inner = await vivarium.openSandbox({ within: file, title: name })
          expect(await wire.command('GET', 'shared')).toBe('file')
          expect(await wire.command('TTL', 'shared')).toBeGreaterThan(900)
          await wire.command('SELECT', '3')
          expect(await wire.command('GET', 'in3')).toBe('1')
          await wire.command('SELECT', '0')
          await wire.command('SET', 'shared', name)
          await wire.command('LPOP', 'list')
          await wire.command('SET', 'own', name)
          expect(await wire.command('DBSIZE')).toBe(3)
          await inner.close()
          expect(await wire.command('MGET', 'shared', 'own')).toEqual(['file', null])
          expect(await wire.command('LRANGE', 'list', '0', '-1')).toEqual(['a', 'b'])
        }
      })
      await file.close()
    })

    test('commands that come while the copy is made wait for it, in their order', async () => {
      const file = await vivarium.openSandbox()
      await withWires([vivarium.redis.url], async (wire) => {
        await wire.command('SET', 'n', '1')
        const inner = await vivarium.openSandbox({ within: file })
        for (let index = 0; index < 5; index++) wire.send('INCR', 'n')
        const replies = await Promise.all(Array.from({ length: 5 }, () => wire.next()))
        expect(replies).toEqual([2, 3, 4, 5, 6])
        await inner.close()
        expect(await wire.command('GET', 'n')).toBe('1')
      })
      await file.close()
    })

    test('a consumer that waits goes along into the next sandbox', async () => {
      const file = await vivarium.openSandbox()
      await withWires([vivarium.redis.url, vivarium.redis.url], async (consumer, producer) => {
        await consumer.command('PING')
        consumer.send('BLPOP', 'jobs', '0')
        // The gateway has the command when a later one of another client is answered.
        await producer.command('PING')
        const inner = await vivarium.openSandbox({ within: file })
        expect(await consumer.next()).toBe(null)
        consumer.send('BLPOP', 'jobs', '0')
        await producer.command('RPUSH', 'jobs', 'work')
        expect(await consumer.next()).toEqual(['jobs', 'work'])
        await inner.close()
      })
      await file.close()
    })
  })

  describe('channels', () => {
    test('what is published stays in its sandbox, by channel, pattern and shard', async () => {
      await withSandboxes(2, async (one, other) => {
        await withWires([one.redis.url, one.redis.url, other.redis.url], async (listener, a, b) => {
          await listener.command('SUBSCRIBE', 'news')
          await listener.command('PSUBSCRIBE', 'n*')
          await listener.command('SSUBSCRIBE', 'news')
          expect(await b.command('PUBLISH', 'news', 'no')).toBe(0)
          expect(await b.command('SPUBLISH', 'news', 'no')).toBe(0)
          expect(await b.command('EVAL', "return redis.call('publish', 'news', 'no')", '0')).toBe(0)
          expect(await b.command('PUBSUB', 'CHANNELS')).toEqual([])
          expect(await a.command('PUBLISH', 'news', 'yes')).toBe(2)
          expect(await a.command('EVAL', "return redis.call('publish', 'news', 'script')", '0')).toBe(2)
          const arrived = [await listener.next(), await listener.next(), await listener.next(), await listener.next()]
          expect(arrived).toEqual([
            ['message', 'news', 'yes'],
            ['pmessage', 'n*', 'news', 'yes'],
            ['message', 'news', 'script'],
            ['pmessage', 'n*', 'news', 'script'],
          ])
        })
      })
    })

    test('what is subscribed through the stable URL goes along when it leads elsewhere', async () => {
      const first = await vivarium.openSandbox()
      await withWires([vivarium.redis.url, vivarium.redis.url], async (listener, publisher) => {
        await listener.command('SUBSCRIBE', 'news')
        await listener.command('PSUBSCRIBE', 'n*')
        await first.close()
        const second = await vivarium.openSandbox()
        expect(await publisher.command('PUBLISH', 'news', 'second')).toBe(2)
        expect(await listener.next()).toEqual(['message', 'news', 'second'])
        expect(await listener.next()).toEqual(['pmessage', 'n*', 'news', 'second'])
        expect(listener.arrived).toEqual([])
        await second.close()
      })
    })

    test('notifications of keys are of the sandbox’s own keys', async () => {
      await withSandboxes(2, async (one, other) => {
        await withWires([one.redis.url, one.redis.url, other.redis.url], async (listener, a, b) => {
          expect(await a.command('CONFIG', 'SET', 'notify-keyspace-events', 'KEA')).toBe('OK')
          await listener.command('PSUBSCRIBE', '__keyspace@0__:user:*')
          await listener.command('SUBSCRIBE', '__keyevent@0__:set')
          await b.command('SET', 'user:1', 'not heard')
          await a.command('SET', 'user:1', 'heard')
          expect([await listener.next(), await listener.next()]).toEqual([
            ['pmessage', '__keyspace@0__:user:*', '__keyspace@0__:user:1', 'set'],
            ['message', '__keyevent@0__:set', 'user:1'],
          ])
          expect(listener.arrived).toEqual([])
        })
      })
    })
  })

  describe('what would reach outside', () => {
    test.each([
      'CONFIG SET maxmemory 1',
      'CONFIG RESETSTAT',
      'CLIENT KILL ID 1',
      'CLIENT PAUSE 1',
      'CLIENT REPLY OFF',
      'SHUTDOWN NOSAVE',
      'DEBUG SLEEP 1',
      'SAVE',
      'BGSAVE',
      'BGREWRITEAOF',
      'REPLICAOF NO ONE',
      'MONITOR',
      'FUNCTION FLUSH',
      'FCALL f 0',
      'ACL SETUSER x',
      'SCRIPT KILL',
      'SLOWLOG GET',
      'LATENCY LATEST',
      'MODULE LOAD x',
      'MIGRATE h 1 k 0 1',
      'FAILOVER',
      'MEMORY PURGE',
    ])('%s is refused, with the reason, and the connection goes on', async (line) => {
      await withSandboxes(1, async (sandbox) => {
        await withWires([sandbox.redis.url], async (wire) => {
          expect(await wire.command(...line.split(' '))).toEqual({
            error: expect.stringMatching(/^ERR Vivarium refuses [A-Z ]+ in a sandbox: ./),
          })
          expect(await wire.command('SET', 'a', '1')).toBe('OK')
        })
      })
    })

    test('refused inside MULTI it fails the transaction, as what cannot be queued does', async () => {
      await withSandboxes(1, async (sandbox) => {
        await withWires([sandbox.redis.url], async (wire) => {
          await wire.command('MULTI')
          expect(await wire.command('SHUTDOWN')).toEqual({ error: expect.stringContaining('refuses SHUTDOWN') })
          expect(await wire.command('EXEC')).toEqual({ error: expect.stringMatching(/^EXECABORT/) })
        })
      })
    })

    test.each(['flushall', 'select', 'swapdb', 'function', 'config'])('a script cannot call %s', async (name) => {
      await withSandboxes(1, async (sandbox) => {
        await withWires([sandbox.redis.url], async (wire) => {
          const script = `return redis.call('${name}', '1', '2')`
          expect(await wire.command('EVAL', script, '0')).toEqual({ error: expect.stringContaining('reaches outside') })
          expect(await wire.command('EVAL', script.replace('call', 'pcall'), '0')).toEqual({
            error: expect.stringContaining('reaches outside'),
          })
        })
      })
    })

    test('CLIENT LIST and INFO show nothing of other sandboxes', async () => {
      await withSandboxes(2, async (one, other) => {
        await withWires([one.redis.url, other.redis.url], async (a, b) => {
          await a.command('CLIENT', 'SETNAME', 'a')
          await b.command('CLIENT', 'SETNAME', 'b')
          await b.command('SET', 'k', 'v')
          expect(await a.command('CLIENT', 'LIST')).toMatch(/^id=\d+ .* name=a .*\n$/)
          expect(await a.command('INFO', 'keyspace')).not.toContain('db0')
          const id = String(await b.command('CLIENT', 'ID'))
          expect(await a.command('CLIENT', 'UNBLOCK', id)).toBe(0)
        })
      })
    })
  })

  describe('when a sandbox closes', () => {
    test('a MULTI that was left open is a broken promise', async () => {
      const sandbox = await vivarium.openSandbox()
      await withWires([vivarium.redis.url], async (wire) => {
        await wire.command('MULTI')
        await wire.command('SET', 'a', '1')
        expect(await codesOf(sandbox.close())).toEqual(['TRANSACTION_LEFT_OPEN'])
        await wire.closed
      })
    })

    test('a command that waits for something is told that nothing came', async () => {
      const sandbox = await vivarium.openSandbox()
      await withWires([vivarium.redis.url], async (wire) => {
        await wire.command('PING')
        wire.send('BLPOP', 'nothing', '0')
        const closing = sandbox.close()
        expect(await wire.next()).toBe(null)
        await closing
      })
    })

    test('keys that were watched are no longer', async () => {
      const file = await vivarium.openSandbox()
      await withWires([vivarium.redis.url], async (wire) => {
        const inner = await vivarium.openSandbox({ within: file })
        await wire.command('SET', 'a', '1')
        await wire.command('WATCH', 'a')
        await inner.close()
        await wire.command('MULTI')
        await wire.command('SET', 'b', '1')
        expect(await wire.command('EXEC')).toEqual(['OK'])
      })
      await file.close()
    })
  })

  test('one client per sandbox behind one object', async () => {
    const cache = perSandbox(({ redis }) => new Redis(redis.url), { close: (client) => client.quit() })
    await withSandboxes(3, async (...sandboxes) => {
      const counts = await Promise.all(
        sandboxes.map((sandbox, index) =>
          runInSandbox(sandbox, async () => {
            for (let time = 0; time <= index; time++) await cache.incr('n')
            return cache.get('n')
          }),
        ),
      )
      expect(counts).toEqual(['1', '2', '3'])
      for (const sandbox of sandboxes) await sandbox.close()
    })
  })

  describe('interactions', () => {
    test('hits, misses, what was set with its time to live, and deletes, each with its keys', async () => {
      await withSandboxes(1, async (sandbox) => {
        const redis = new Redis(vivarium.redis.url)
        open.push({ close: () => redis.quit() })
        const seen = await sandbox.observe(async () => {
          await redis.get('user:1')
          await redis.set('user:1', 'Ada', 'EX', 60)
          await redis.get('user:1')
          await redis.mget('user:1', 'user:2')
          await redis.del('user:1')
          await redis.multi().set('a', '1').get('a').exec()
          await redis.incr('user').catch(() => undefined)
        })
        expect(
          seen.commands.map(({ command, keys, effect, hits, misses, ttlMs, transaction }) => ({
            command,
            keys,
            effect,
            hits,
            misses,
            ttlMs,
            transaction,
          })),
        ).toMatchObject([
          { command: 'GET', keys: ['user:1'], effect: 'read', hits: [], misses: ['user:1'] },
          { command: 'SET', keys: ['user:1'], effect: 'write', ttlMs: 60_000 },
          { command: 'GET', keys: ['user:1'], effect: 'read', hits: ['user:1'], misses: [] },
          { command: 'MGET', keys: ['user:1', 'user:2'], hits: ['user:1'], misses: ['user:2'] },
          { command: 'DEL', keys: ['user:1'], effect: 'delete' },
          { command: 'SET', keys: ['a'], transaction: 1 },
          { command: 'GET', keys: ['a'], hits: ['a'], transaction: 1 },
          { command: 'INCR', keys: ['user'] },
        ])
        expect(seen.queries).toHaveLength(0)
      })
    })

    test('no query on the second access is one line', async () => {
      await withSandboxes(1, async (sandbox) => {
        const redis = new Redis(vivarium.redis.url)
        open.push({ close: () => redis.quit() })
        const read = async (): Promise<string | null> => {
          const known = await redis.get('greeting')
          if (known === null) await redis.set('greeting', 'hello')
          return known
        }
        await read()
        const seen = await sandbox.observe(read)
        expect(seen.commands.map(({ command, hits }) => [command, ...hits])).toEqual([['GET', 'greeting']])
      })
    })
  })

  describe('many at once, on a server that is not ours', () => {
    let server: RedisServer

    beforeAll(async () => {
      // One database, as clusters and some hosted servers have.
      server = await startRedisServer({ databases: 1 })
      await withWires([server.url], async (plain) => {
        await plain.command('SET', 'theirs', 'untouched')
        await plain.command('RPUSH', 'vivarium:theirs', 'too')
      })
    })
    afterAll(() => server?.close())

    test('200 sandboxes that write the same keys and publish on the same channels with two clients do not meet', async () => {
      const before = await withWires([server.url], async (plain) => {
        await plain.command('SET', 'theirs:expiring', 'x', 'PXAT', '33177117420000')
        await plain.command('HSET', 'theirs:hash', 'field', 'value')
        await plain.command('SELECT', '3')
        await plain.command('RPUSH', 'theirs', 'in another database')
        return holdings(plain)
      })
      const shared = await openVivarium({ redis: { url: server.url } })
      // Making the first one takes that client 30 ms, a duplicate nearly nothing.
      const client = createClient({ RESP: 3 })
      const meet = async (number: number): Promise<void> => {
        const sandbox = await shared.openSandbox({ concurrent: true })
        const one = new Redis(sandbox.redis.url)
        const listener = new Redis(sandbox.redis.url)
        const other = client.duplicate({ url: sandbox.redis.url })
        const pattern = client.duplicate({ url: sandbox.redis.url })
        const heard: string[] = []
        const heardByPattern: string[] = []
        listener.on('message', (_, message) => heard.push(message))
        await Promise.all([other.connect(), pattern.connect(), listener.subscribe('news')])
        const told = new Promise<void>((resolve) => {
          void pattern.pSubscribe('n*', (message, channel) => {
            heardByPattern.push(`${channel} ${message}`)
            if (message === 'last') resolve()
          })
        })
        await pattern.ping()
        await one.set('key', number)
        await other.set('other', number)
        await one.select(2)
        await one.set('key', -number)
        const last = once(listener, 'message')
        await other.publish('news', String(number))
        await last
        await one.publish('n', 'last')
        await told
        expect(await other.mGet(['key', 'other'])).toEqual([String(number), String(number)])
        expect(await one.get('key')).toBe(String(-number))
        expect((await other.keys('*')).toSorted()).toEqual(['key', 'other'])
        expect(heard).toEqual([String(number)])
        expect(heardByPattern).toEqual([`news ${number}`, 'n last'])
        await Promise.all([one.quit(), listener.quit(), other.close(), pattern.close()])
        await sandbox.close()
      }
      try {
        await Promise.all(Array.from({ length: 200 }, (_, number) => meet(number)))
      } finally {
        await shared.close()
      }
      await withWires([server.url], async (plain) => {
        expect(await holdings(plain)).toEqual(before)
        expect(before).toMatchObject({
          '0 theirs:expiring': { expires: 33177117420000 },
          '3 theirs': {},
          '0 theirs': {},
        })
        expect(await plain.command('PUBSUB', 'CHANNELS')).toEqual([])
        expect(await plain.command('PUBSUB', 'NUMPAT')).toBe(0)
      })
    })

    test('what a run left that ended without closing is removed by the next one, and a living one is left alone', async () => {
      await using living = await openVivarium({ redis: { url: server.url } })
      const sandbox = await living.openSandbox()
      await withWires([living.redis.url, server.url], async (wire, plain) => {
        await wire.command('SET', 'mine', '1')
        await plain.command('SADD', 'vivarium:runs', 'dead000000')
        await plain.command('SET', 'vivarium:dead000000:1:0:left', '1')
        await using next = await openVivarium({ redis: { url: server.url } })
        expect(await plain.command('EXISTS', 'vivarium:dead000000:1:0:left')).toBe(0)
        expect(await wire.command('GET', 'mine')).toBe('1')
        await next.close()
      })
      await sandbox.close()
    })
  })

  test('a large value passes both ways, and thousands of commands in one pipeline', async () => {
    await withSandboxes(1, async (sandbox) => {
      const redis = new Redis(sandbox.redis.url)
      open.push({ close: () => redis.quit() })
      const large = Buffer.alloc(32 << 20, 'x')
      await redis.set('large', large)
      expect((await redis.getBuffer('large'))?.equals(large)).toBe(true)
      const pipeline = redis.pipeline()
      for (let index = 0; index < 5000; index++) pipeline.set(`k${index}`, index).get(`k${index}`)
      const replies = await pipeline.exec()
      expect(
        replies?.every(
          ([error, value], index) => error === null && (index % 2 === 0 || value === String((index - 1) / 2)),
        ),
      ).toBe(true)
    })
  })
})
