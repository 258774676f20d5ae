import { type AddressInfo, connect } from 'node:net'
import { createServer } from 'node:tls'
import { Cluster, Redis } from 'ioredis'
import { createCluster } from 'redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openVivarium, type Sandbox, type Vivarium } from '../../src/index.ts'
import { makeCertificate } from '../../src/mail/certificate.ts'
import { startRedisServer } from '../../src/redis/server/own-server.ts'
import type { RedisServer } from '../../src/redis/server/redis-server.ts'
import { describeIfFound, installedRedis } from '../support/require.ts'
import { connectWire, RespWire } from '../support/resp-wire.ts'

describeIfFound('redis', installedRedis(), 'what users of Redis ask for', () => {
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

  test('HELLO logs in, names the connection and chooses the protocol, in one', async () => {
    const { username, password } = new URL(sandbox.redis.url)
    const wire = await connectWire(sandbox.redis.url)
    expect(await wire.command('HELLO', '3', 'AUTH', username, password, 'SETNAME', 'me')).toMatchObject({
      map: expect.arrayContaining(['proto', 3]),
    })
    expect(await wire.command('CLIENT', 'GETNAME')).toBe('me')
    expect(await wire.command('HELLO', '2', 'AUTH', username, 'wrong')).toEqual({
      error: expect.stringMatching(/^WRONGPASS/),
    })
    wire.end()
  })

  test('RESET and QUIT do what they do', async () => {
    const { username, password } = new URL(sandbox.redis.url)
    const wire = await connectWire(sandbox.redis.url)
    await wire.command('SELECT', '3')
    await wire.command('SET', 'in3', '1')
    expect(await wire.command('RESET')).toBe('RESET')
    expect(await wire.command('GET', 'in3')).toEqual({ error: expect.stringMatching(/^NOAUTH/) })
    expect(await wire.command('AUTH', username, password)).toBe('OK')
    expect(await wire.command('GET', 'in3')).toBe(null)
    expect(await wire.command('QUIT')).toBe('OK')
    await wire.closed
  })

  test('ioredis with automatic pipelining', async () => {
    const redis = new Redis(sandbox.redis.url, { enableAutoPipelining: true })
    expect(await Promise.all([redis.set('x', 1), redis.incr('x'), redis.mget('x', 'y')])).toEqual([
      'OK',
      2,
      ['2', null],
    ])
    await redis.quit()
  })

  test('a client for a cluster is told to be one for a single server', async () => {
    const { username, password } = new URL(sandbox.redis.url)
    const cluster = new Cluster([sandbox.redis.url], {
      clusterRetryStrategy: () => null,
      redisOptions: { username, password },
    })
    const failed = await new Promise<Error & { lastNodeError?: Error }>((resolve) => cluster.on('error', resolve))
    cluster.disconnect()
    expect(failed.lastNodeError?.message).toMatch(/cluster support disabled.*`new Redis\(url\)`/)
    const other = createCluster({ rootNodes: [{ url: sandbox.redis.url }] })
    await expect(other.connect()).rejects.toThrow(/`createClient\(\{ url \}\)`/)
  })

  test('a client that begins with TLS is told at once that a sandbox has none', async () => {
    const { port } = new URL(sandbox.redis.url)
    const wire = new RespWire(connect(Number(port), '127.0.0.1'))
    // The beginning of a ClientHello: a handshake, TLS 1.0 for old servers, its length.
    wire.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]))
    expect(await wire.next()).toEqual({ error: expect.stringContaining('redis://, without TLS') })
    await wire.closed
  })

  describe('on a server that is not ours', () => {
    let server: RedisServer
    let plain: RespWire
    const urlOf = (user: string): string => {
      const url = new URL(server.url)
      url.username = user
      url.password = 'secret'
      return url.href
    }

    beforeAll(async () => {
      server = await startRedisServer()
      plain = await connectWire(server.url)
    })
    afterAll(async () => {
      plain?.end()
      await server?.close()
    })

    test('a user with the rights that the message names will do', async () => {
      const rights =
        '~vivarium:* &vivarium:* &__key* +@all -@admin +info +keys +client|list +client|unblock +config|get'
      await plain.command('ACL', 'SETUSER', 'tests', 'on', '>secret', ...rights.split(' '))
      const there = await openVivarium({ redis: { url: urlOf('tests') } })
      const inside = await there.openSandbox()
      const wire = await connectWire(inside.redis.url)
      expect(await wire.command('SET', 'a', '1')).toBe('OK')
      expect(await wire.command('EVAL', "return redis.call('get', 'a')", '0')).toBe('1')
      expect(await wire.command('SUBSCRIBE', 'news')).toEqual(['subscribe', 'news', 1])
      wire.end()
      await inside.close()
      await there.close()
      expect(await plain.command('DBSIZE')).toBe(0)
    })

    test('a user who may not do what is needed is told before anything depends on it, with the rights to give', async () => {
      await plain.command('ACL', 'SETUSER', 'poor', 'on', '>secret', '~*', '&*', '+@all', '-@dangerous')
      await expect(openVivarium({ redis: { url: urlOf('poor') } })).rejects.toMatchObject({
        code: 'REDIS_RIGHTS_MISSING',
        message: expect.stringMatching(/'info' command[^]*ACL SETUSER name ~vivarium:\*/),
      })
      await plain.command('ACL', 'SETUSER', 'poor', '+info')
      await expect(openVivarium({ redis: { url: urlOf('poor') } })).rejects.toMatchObject({
        code: 'REDIS_RIGHTS_MISSING',
        seen: expect.stringContaining("can't run this command"),
      })
    })

    test('TLS is spoken where the URL says so, and a certificate that is not trusted is told', async () => {
      const { hostname, port, password } = new URL(server.url)
      const tls = createServer(makeCertificate(), (socket) => {
        const behind = connect(Number(port), hostname)
        socket.pipe(behind).pipe(socket)
        socket.on('error', () => behind.destroy())
        behind.on('error', () => socket.destroy())
      })
      await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve))
      const url = `rediss://:${password}@127.0.0.1:${(tls.address() as AddressInfo).port}`
      await expect(openVivarium({ redis: { url } })).rejects.toMatchObject({
        code: 'SERVER_UNREACHABLE',
        seen: expect.stringContaining('self-signed certificate'),
      })
      const trust = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
      try {
        await using there = await openVivarium({ redis: { url } })
        await using inside = await there.openSandbox()
        const wire = await connectWire(inside.redis.url)
        expect(await wire.command('SET', 'a', '1')).toBe('OK')
        wire.end()
      } finally {
        if (trust === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
        else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = trust
        tls.close()
      }
    })
  })
})
