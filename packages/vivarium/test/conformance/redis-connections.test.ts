import { afterAll, beforeAll, expect, test } from 'vitest'
import { openVivarium, SandboxFailures, type Vivarium } from '../../src/index.ts'
import { startRedisServer } from '../../src/redis/server/own-server.ts'
import { describeIfFound, installedRedis } from '../support/require.ts'
import { connectWire } from '../support/resp-wire.ts'

describeIfFound('redis', installedRedis(), 'connections of sandboxes', () => {
  let vivarium: Vivarium

  beforeAll(async () => {
    vivarium = await openVivarium({ redis: {} })
  })
  afterAll(() => vivarium?.close())

  test('a MULTI that was left open on the URL of a sandbox is a broken promise, too', async () => {
    const sandbox = await vivarium.openSandbox()
    const wire = await connectWire(sandbox.redis.url)
    await wire.command('MULTI')
    await wire.command('SET', 'a', '1')
    const failed: unknown = await sandbox.close().catch((error: unknown) => error)
    expect(failed).toBeInstanceOf(SandboxFailures)
    expect((failed as SandboxFailures).errors).toMatchObject([{ code: 'TRANSACTION_LEFT_OPEN' }])
    await wire.closed
  })

  test.each([
    ['HMGET nothing a b', [], ['nothing']],
    ['HMGET hash a b', ['hash'], []],
    ['STRLEN nothing', [], ['nothing']],
    ['LLEN nothing', [], ['nothing']],
    ['HLEN nothing', [], ['nothing']],
    ['SCARD nothing', [], ['nothing']],
    ['ZCARD nothing', [], ['nothing']],
    ['TYPE nothing', [], ['nothing']],
    ['TYPE hash', ['hash'], []],
    ['SISMEMBER nothing a', [], []],
    ['HEXISTS hash b', [], []],
    ['HEXISTS hash a', ['hash'], []],
  ])('%s is a hit, a miss, or neither', async (line, hits, misses) => {
    await using sandbox = await vivarium.openSandbox()
    const wire = await connectWire(sandbox.redis.url)
    await wire.command('HSET', 'hash', 'a', '1')
    const seen = await sandbox.observe(() => wire.command(...line.split(' ')))
    expect(seen.commands).toMatchObject([{ hits, misses }])
    wire.end()
  })

  test('a channel that is only named like a key notification stays in its sandbox', async () => {
    await using one = await vivarium.openSandbox({ concurrent: true })
    await using other = await vivarium.openSandbox({ concurrent: true })
    const wires = await Promise.all([one, one, other].map(({ redis }) => connectWire(redis.url)))
    const [listener, here, there] = wires as [(typeof wires)[0], (typeof wires)[0], (typeof wires)[0]]
    await listener.command('SUBSCRIBE', '__keyboard')
    expect(await there.command('PUBLISH', '__keyboard', 'not heard')).toBe(0)
    expect(await here.command('PUBLISH', '__keyboard', 'heard')).toBe(1)
    expect(await listener.next()).toEqual(['message', '__keyboard', 'heard'])
    for (const wire of wires) wire.end()
  })

  test('notifications of keys that were missed and of new ones are there when they are asked for', async () => {
    await using sandbox = await vivarium.openSandbox()
    const listener = await connectWire(sandbox.redis.url)
    const wire = await connectWire(sandbox.redis.url)
    await wire.command('CONFIG', 'SET', 'notify-keyspace-events', 'KEAmn')
    await listener.command('PSUBSCRIBE', '__keyevent@0__:*')
    await wire.command('GET', 'nothing')
    expect(await listener.next()).toEqual(['pmessage', '__keyevent@0__:*', '__keyevent@0__:keymiss', 'nothing'])
    await wire.command('SET', 'fresh', '1')
    expect(await listener.next()).toEqual(['pmessage', '__keyevent@0__:*', '__keyevent@0__:new', 'fresh'])
    for (const one of [listener, wire]) one.end()
  })

  test('a command that is named like a property of every object is one that the server does not know', async () => {
    await using sandbox = await vivarium.openSandbox()
    const wire = await connectWire(sandbox.redis.url)
    expect(await wire.command('CONSTRUCTOR', 'a')).toEqual({ error: expect.stringContaining('unknown command') })
    wire.end()
  })

  test('a server that no longer lets us in is told as the reason', async () => {
    const server = await startRedisServer()
    try {
      await using there = await openVivarium({ redis: { url: server.url } })
      await using sandbox = await there.openSandbox()
      const plain = await connectWire(server.url)
      const [, password] = (await plain.command('CONFIG', 'GET', 'requirepass')) as [string, string]
      await plain.command('CONFIG', 'SET', 'requirepass', 'another')
      const wire = await connectWire(sandbox.redis.url)
      expect(await wire.command('GET', 'a')).toEqual({ error: expect.stringMatching(/refused the login: WRONGPASS/) })
      await wire.closed
      await plain.command('CONFIG', 'SET', 'requirepass', password)
      plain.end()
    } finally {
      await server.close()
    }
  })

  test('a run whose connection was closed is still alive for the next one', async () => {
    const server = await startRedisServer()
    try {
      await using living = await openVivarium({ redis: { url: server.url } })
      await using sandbox = await living.openSandbox()
      const wire = await connectWire(sandbox.redis.url)
      const plain = await connectWire(server.url)
      await wire.command('SET', 'mine', '1')
      const idOf = async (): Promise<string | undefined> =>
        /^id=(\d+) .* name=vivarium-run-/m.exec(String(await plain.command('CLIENT', 'LIST')))?.[1]
      const before = await idOf()
      await plain.command('CLIENT', 'KILL', 'ID', before!)
      await expect.poll(idOf, { timeout: 4000 }).not.toBeOneOf([before, undefined])
      await (await openVivarium({ redis: { url: server.url } })).close()
      expect(await wire.command('GET', 'mine')).toBe('1')
      for (const one of [wire, plain]) one.end()
    } finally {
      await server.close()
    }
  })

  test('what ends the connection of the gateway itself does not end what it does', async () => {
    const server = await startRedisServer()
    try {
      const there = await openVivarium({ redis: { url: server.url } })
      const plain = await connectWire(server.url)
      const use = async (): Promise<void> => {
        await using sandbox = await there.openSandbox()
        const wire = await connectWire(sandbox.redis.url)
        await wire.command('SET', 'a', '1')
        wire.end()
      }
      await use()
      await expect.poll(() => plain.command('DBSIZE'), { timeout: 4000 }).toBe(1)
      await plain.command('CLIENT', 'KILL', 'TYPE', 'normal')
      await use()
      await there.close()
      expect(await plain.command('DBSIZE')).toBe(0)
      plain.end()
    } finally {
      await server.close()
    }
  })

  test('while concurrent tests run what asks for no sandbox is answered, and fails none', async () => {
    let refused = 0
    const allow = (vivarium as unknown as { refuseStableUrl(told: () => void): () => void }).refuseStableUrl(
      () => void refused++,
    )
    const wire = await connectWire(vivarium.redis.url)
    try {
      expect(await wire.command('PING')).toBe('PONG')
      expect(await wire.command('INFO', 'server')).toContain('redis_version')
      expect(await wire.command('CLIENT', 'SETNAME', 'idle')).toBe('OK')
      expect(refused).toBe(0)
    } finally {
      allow()
      wire.end()
    }
  })
})
