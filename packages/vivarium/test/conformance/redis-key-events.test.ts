import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openVivarium, type Sandbox, type Vivarium } from '../../src/index.ts'
import { startRedisServer } from '../../src/redis/server/own-server.ts'
import type { RedisServer } from '../../src/redis/server/redis-server.ts'
import { describeIfFound, installedRedis } from '../support/require.ts'
import { connectWire, type RespWire, type Value } from '../support/resp-wire.ts'

const setting = 'notify-keyspace-events'

/** What a listener to all key events is told of a SET that is followed by a DEL. */
async function heard(
  { redis }: Sandbox,
  ask: (wire: RespWire) => Promise<unknown> = async () => undefined,
): Promise<Value[]> {
  const [listener, wire] = [await connectWire(redis.url), await connectWire(redis.url)]
  await ask(wire)
  await listener.command('PSUBSCRIBE', '__key*')
  await listener.command('SUBSCRIBE', 'end')
  await wire.command('SET', 'a', '1')
  await wire.command('DEL', 'a')
  await wire.command('PUBLISH', 'end', '')
  const messages: Value[] = []
  for (let message = await listener.next(); (message as Value[])[1] !== 'end'; message = await listener.next()) {
    messages.push((message as Value[]).slice(2))
  }
  for (const one of [listener, wire]) one.end()
  return messages
}

describeIfFound('redis', installedRedis(), 'key events', () => {
  let vivarium: Vivarium

  beforeAll(async () => {
    vivarium = await openVivarium({ redis: {} })
  })
  afterAll(() => vivarium?.close())

  test('each sandbox is told of those that it has asked for, whatever others have', async () => {
    await using one = await vivarium.openSandbox({ concurrent: true })
    await using other = await vivarium.openSandbox({ concurrent: true })
    expect(await heard(one, (wire) => wire.command('CONFIG', 'SET', setting, 'E$'))).toEqual([
      ['__keyevent@0__:set', 'a'],
    ])
    expect(await heard(other, (wire) => wire.command('CONFIG', 'SET', setting, 'Kg'))).toEqual([
      ['__keyspace@0__:a', 'del'],
    ])
  })

  test('a sandbox that has asked for none is told of none, and reads so', async () => {
    await using one = await vivarium.openSandbox({ concurrent: true })
    await heard(one, (wire) => wire.command('CONFIG', 'SET', setting, 'KEA'))
    await using other = await vivarium.openSandbox({ concurrent: true })
    expect(await heard(other)).toEqual([])
    const [here, there] = [await connectWire(one.redis.url), await connectWire(other.redis.url)]
    expect(await here.command('CONFIG', 'GET', setting)).toEqual([setting, 'AKE'])
    expect(await there.command('CONFIG', 'GET', 'notify*')).toEqual([setting, ''])
    for (const wire of [here, there]) wire.end()
  })

  test('what a file has asked for holds in its tests, and what a test asks for ends with it', async () => {
    await using file = await vivarium.openSandbox()
    const wire = await connectWire(file.redis.url)
    await wire.command('CONFIG', 'SET', setting, 'E$')
    const first = await vivarium.openSandbox({ within: file })
    expect(await heard(first, (inside) => inside.command('CONFIG', 'SET', setting, 'Eg'))).toEqual([
      ['__keyevent@0__:del', 'a'],
    ])
    await first.close()
    await using second = await vivarium.openSandbox({ within: file })
    expect(await heard(second)).toEqual([['__keyevent@0__:set', 'a']])
    wire.end()
  })

  describe('on a server that is not ours', () => {
    let server: RedisServer
    let there: Vivarium
    let plain: RespWire

    beforeAll(async () => {
      server = await startRedisServer()
      plain = await connectWire(server.url)
      there = await openVivarium({ redis: { url: server.url } })
    })
    afterAll(async () => {
      plain?.end()
      await there?.close()
      await server?.close()
    })

    test('what its setting lacks is refused, with the remedy, and nothing is reconfigured', async () => {
      await plain.command('CONFIG', 'SET', setting, 'Eg')
      await using sandbox = await there.openSandbox()
      const wire = await connectWire(sandbox.redis.url)
      expect(await wire.command('CONFIG', 'SET', setting, 'KEg$')).toEqual({
        error: expect.stringMatching(
          /not ours.*has "gE" there, without "K\$"\. Set it on the server.*VIVARIUM_REDIS_URL/,
        ),
      })
      expect(await plain.command('CONFIG', 'GET', setting)).toEqual([setting, 'gE'])
      wire.end()
    })

    test('what its setting has is accepted, and less is told where less was asked for', async () => {
      await plain.command('CONFIG', 'SET', setting, 'KEA')
      await using sandbox = await there.openSandbox()
      expect(await heard(sandbox)).toHaveLength(4)
      expect(
        await heard(sandbox, async (wire) => {
          expect(await wire.command('CONFIG', 'SET', setting, 'E$')).toBe('OK')
        }),
      ).toEqual([['__keyevent@0__:set', 'a']])
      expect(await plain.command('CONFIG', 'GET', setting)).toEqual([setting, 'AKE'])
    })
  })
})
