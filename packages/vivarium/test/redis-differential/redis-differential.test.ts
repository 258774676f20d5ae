import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openVivarium, type Sandbox, type Vivarium } from '../../src/index.ts'
import { startRedisServer } from '../../src/redis/server/own-server.ts'
import type { RedisServer } from '../../src/redis/server/redis-server.ts'
import { describeIfFound, installedRedis } from '../support/require.ts'
import { connectWire, type RespWire, type Value } from '../support/resp-wire.ts'
import { exclusions } from './exclusions.ts'
import { scripts } from './scripts.ts'

/** Values whose order a server leaves open. */
const unordered =
  /^(KEYS|SCAN|SMEMBERS|SRANDMEMBER|SPOP|SINTER|SUNION|SDIFF|HGETALL|HKEYS|HVALS|SSCAN|HSCAN|PUBSUB CHANNELS|EXEC|COMMAND|EVAL\S* return~redis\.call\("(?:keys|scan))/

function words(line: string): string[] {
  return line.split(' ').map((word) => word.replaceAll('~', ' ').replaceAll('\\n', '\n'))
}

/** What arrives, up to a message on a channel. */
async function messagesUntil(channel: string, client: RespWire): Promise<Value[]> {
  const messages: Value[] = []
  for (;;) {
    const message = await client.next()
    if (JSON.stringify(message).includes(`"${channel}"`)) return messages
    messages.push(message)
  }
}

function normalise(value: Value): Value {
  if (Array.isArray(value))
    return value.map(normalise).toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, normalise(one)]))
  }
  return value
}

describeIfFound('redis', installedRedis(), 'a sandbox answers as a server of its own', () => {
  let vivarium: Vivarium
  let plain: RedisServer
  const used = new Set<string>()

  beforeAll(async () => {
    vivarium = await openVivarium({ redis: {} })
    plain = await startRedisServer()
  })
  afterAll(async () => {
    await vivarium?.close()
    await plain?.close()
  })

  async function play(lines: readonly string[], protocol: string, open: () => Promise<RespWire>): Promise<string[]> {
    const clients = { 1: await open(), 2: await open() }
    if (protocol === 'RESP3') for (const client of Object.values(clients)) await client.command('HELLO', '3')
    const replies: string[] = []
    try {
      for (const line of lines) {
        const [, number = '1', arrow, rest = ''] = /^(?:([12])(<<|[<>]) ?)?(.*)$/s.exec(line) ?? []
        const client = clients[number as '1' | '2']
        const value =
          arrow === '<<'
            ? await messagesUntil(rest, client)
            : arrow === '<'
              ? await client.next()
              : await client.command(...words(rest))
        replies.push(JSON.stringify(unordered.test(rest) ? normalise(value) : value))
      }
      return replies
    } finally {
      clients[1].end()
      clients[2].end()
    }
  }

  test('there are at least 200 commands, each told apart by its name and subcommand', () => {
    const names = Object.values(scripts)
      .flat()
      .map((line) => line.replace(/^[12](?:<<|[<>]) ?/, ''))
      .map(
        (line) =>
          /^(?:ACL|CLIENT|CLUSTER|COMMAND|CONFIG|OBJECT|PUBSUB|SCRIPT|XGROUP|XINFO) \S+|^[A-Z]\S*/.exec(line)?.[0],
      )
    expect(new Set(names.filter((name) => name !== undefined)).size).toBeGreaterThanOrEqual(200)
  })

  const ways = Object.entries(scripts).flatMap(([name, lines]) => [
    [name, 'RESP2', lines] as const,
    [name, 'RESP3', lines] as const,
  ])
  describe.each(ways)('%s in %s', (_, protocol, lines) => {
    let sandbox: Sandbox

    beforeAll(async () => {
      sandbox = await vivarium.openSandbox()
    })
    afterAll(() => sandbox.close())

    test('every reply is the same', async () => {
      const cleaner = await connectWire(plain.url)
      await cleaner.command('FLUSHALL')
      await cleaner.command('SCRIPT', 'FLUSH')
      cleaner.end()
      const wanted = await play(lines, protocol, () => connectWire(plain.url))
      const seen = await play(lines, protocol, () => connectWire(vivarium.redis.url))
      const different = lines.flatMap((step, index) => {
        let [want, see] = [wanted[index]!, seen[index]!]
        if (want === see) return []
        for (const exclusion of exclusions.filter((one) => one.step === step)) {
          used.add(`${exclusion.step} ${exclusion.field}`)
          want = exclusion.without(want)
          see = exclusion.without(see)
        }
        return want === see ? [] : [{ step, wanted: want, seen: see }]
      })
      expect(different).toEqual([])
    })
  })

  test('no exclusion is without use', () => {
    const all = exclusions.map(({ step, field }) => `${step} ${field}`)
    expect(all.filter((one) => !used.has(one))).toEqual([])
  })
})
