import { EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openVivarium, perSandbox, type Vivarium } from '../../../src/index.ts'
import { pgChannels } from '../../../src/pg/index.ts'
import {
  fromEmitter,
  fromEventStream,
  inboxMatchers,
  type MessageSource,
  openInbox,
  type SourceEnd,
} from '../../../src/pubsub/index.ts'
import { redisChannels, redisPatterns } from '../../../src/redis/index.ts'
import { runInSandbox } from '../../../src/vivarium/current-sandbox.ts'
import { migrations } from '../../support/plain-server.ts'
import { describeIfFound, installedRedis } from '../../support/require.ts'
import { codesOf, useSandboxes } from '../../support/sandboxes.ts'

expect.extend(inboxMatchers)

const sandboxes = await useSandboxes()

/** A source that does what it is told. */
function sourceThat(open: MessageSource['open']): MessageSource {
  return { name: 'a broker', open }
}

describe('opening an inbox', () => {
  test('without a sandbox is refused, with what to do', async () => {
    await expect(openInbox(fromEmitter(new EventEmitter(), 'a'))).rejects.toThrow(
      /Cannot open an inbox on event a: no sandbox is open here\.[^]*NO_SANDBOX/,
    )
  })

  test('resolves when the subscription stands, and not before', async () => {
    await sandboxes.pass(async () => {
      let confirm!: (end: SourceEnd) => void
      const opening = openInbox(sourceThat(() => new Promise((resolve) => (confirm = resolve))))
      let isOpen = false
      const watched = opening.then(() => (isOpen = true))
      await new Promise((resolve) => setImmediate(resolve))
      expect(isOpen).toBe(false)
      confirm(() => undefined)
      expect(await watched).toBe(true)
    })
  })

  test('a source that cannot subscribe is told as the reason, also when it says so while it opens', async () => {
    await sandboxes.pass(async () => {
      const refusals = [
        sourceThat(() => Promise.reject(new Error('no such subject'))),
        sourceThat(({ ended }) => {
          ended(new Error('no such subject'))
          return () => undefined
        }),
      ]
      for (const source of refusals) {
        await expect(openInbox(source)).rejects.toMatchObject({ code: 'INBOX_NOT_OPENED', seen: 'no such subject' })
      }
    })
  })

  test('a source that never confirms is given up in time, and ended should it confirm after all', async () => {
    let confirm!: (end: SourceEnd) => void
    await sandboxes.pass(async () => {
      const source = sourceThat(() => new Promise((resolve) => (confirm = resolve)))
      await expect(openInbox(source, { within: 20 })).rejects.toThrow(
        /a broker could not be opened[^]*no subscription within 20 ms/,
      )
      await new Promise<void>((resolve) => confirm(resolve))
    })
  })

  test('an option that it does not know is refused', async () => {
    await sandboxes.pass(async () => {
      // @ts-expect-error no such option
      const opening = openInbox(fromEmitter(new EventEmitter(), 'a'), { decoder: JSON.parse })
      await expect(opening).rejects.toThrow('Did you mean `decode`?')
    })
  })

  test('a source that does not end is reported when the sandbox closes', async () => {
    const outcome = await sandboxes.run(async () => {
      await openInbox(sourceThat(() => () => new Promise(() => undefined)))
    })
    expect(codesOf(outcome)).toEqual(['INBOX_NOT_CLOSED'])
  })

  test('one that is still opening when its sandbox closes is ended as soon as it stands', async () => {
    let confirm!: (end: SourceEnd) => void
    const ended = new Promise<void>((resolve) => {
      void sandboxes.run(() => {
        openInbox(sourceThat(() => new Promise((opened) => (confirm = opened)))).catch(() => undefined)
        setImmediate(() => confirm(() => resolve()))
      })
    })
    await ended
  })
})

describe('what a payload is', () => {
  async function received(data: string | Uint8Array, decode?: 'text' | ((text: string) => unknown)): Promise<unknown> {
    let payload: unknown
    await sandboxes.pass(async () => {
      const source = sourceThat(({ deliver }) => {
        deliver({ topic: 'a', data })
        return () => undefined
      })
      const inbox = await openInbox(source, decode === undefined ? {} : { decode })
      payload = (await inbox.next()).payload
    })
    return payload
  }

  test.each<[string, string | Uint8Array, unknown]>([
    ['an object in JSON is parsed', ' {"a":[1]}', { a: [1] }],
    ['an array in JSON is parsed', '[1,2]', [1, 2]],
    ['a number stays a text', '42', '42'],
    ['what only begins like JSON stays a text', '{not json}', '{not json}'],
    ['bytes are a text where they are UTF-8', Buffer.from('größe'), 'größe'],
    ['bytes that are no text stay bytes', Buffer.from([0xff, 0xfe]), Buffer.from([0xff, 0xfe])],
  ])('%s', async (_, data, payload) => {
    expect(await received(data)).toEqual(payload)
  })

  test('`decode` leaves a text as it is, or makes something else of it', async () => {
    expect(await received('{"a":1}', 'text')).toBe('{"a":1}')
    expect(await received('42', Number)).toBe(42)
  })

  test('a `decode` that throws breaks the inbox, and shows the text', async () => {
    await sandboxes.pass(async () => {
      const source = sourceThat(({ deliver }) => {
        setImmediate(() => deliver({ topic: 'a', data: 'garbage' }))
        return () => undefined
      })
      const inbox = await openInbox(source, {
        decode: () => {
          throw new Error('not ours')
        },
      })
      const error: Error = await inbox.next({ topic: 'b', within: 60_000 }).then(
        () => new Error('it came'),
        (caught: Error) => caught,
      )
      expect(error.message).toMatch(/1\) a, \d+ ms ago: garbage\n {2}Its source broke: `decode` threw: not ours/)
    })
  })

  test('a text that was parsed can be asserted as a text, too, and a failure shows it as it came', async () => {
    await sandboxes.pass(async () => {
      const source = sourceThat(({ deliver }) => {
        deliver({ topic: 'a', data: '{ "id":17 }' })
        return () => undefined
      })
      const inbox = await openInbox(source)
      await expect(inbox).toReceive({ id: 17 })
      await expect(inbox).toReceive('{ "id":17 }')
      await expect(inbox).toReceive(/"id":17/)
      await expect(expect(inbox).toReceive({ id: 18 }, { within: 1 })).rejects.toThrow(/ago: \{ "id":17 \}\n/)
    })
  })
})

test('what is no inbox is refused, by what it is', async () => {
  await expect(expect({ a: 1 }).toReceive(1)).rejects.toThrow(/no inbox[^]*an object with: a[^]*NOT_AN_INBOX/)
  await expect(expect(undefined).toReceiveNothing()).rejects.toMatchObject({ code: 'NOT_AN_INBOX' })
  await expect(expect([]).toReceiveInOrder([1])).rejects.toMatchObject({ code: 'NOT_AN_INBOX' })
})

test('a response that is no event stream is refused, with what it is', async () => {
  const server = createServer((_, response) => response.writeHead(500, { 'content-type': 'text/html' }).end('oops'))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  await sandboxes.pass(async () => {
    await expect(openInbox(fromEventStream(response))).rejects.toMatchObject({
      code: 'EVENT_STREAM_REFUSED',
      seen: 'status 500, content type text/html',
    })
  })
  await response.text()
  server.close()
})

test('a stream that ends has ended: what is missing fails at once, and nothing more comes', async () => {
  await sandboxes.pass(async () => {
    async function* chunks(): AsyncGenerator<string> {
      yield 'id: 7\ndata: {"a":1}\n\n'
    }
    const inbox = await openInbox(fromEventStream(chunks()))
    await expect(inbox).toReceive({ a: 1 }, { topic: 'message' })
    await expect(inbox).toReceiveNothing({ within: 60_000 })
    expect(inbox.messages[0]?.id).toBe('7')
    await expect(expect(inbox).toReceive(2, { within: 60_000 })).rejects.toThrow('Its source has ended.')
  })
})

describeIfFound('redis', installedRedis(), 'inboxes on Redis', () => {
  let vivarium: Vivarium
  beforeAll(async () => {
    vivarium = await openVivarium({ redis: {} })
  })
  afterAll(() => vivarium?.close())

  test('topics of 50 concurrent sandboxes stay apart on one broker', async () => {
    const redis = perSandbox((sandbox) => new Redis(sandbox.redis.url), { close: (client) => client.quit() })
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, index) => vivarium.openSandbox({ concurrent: true, title: `number ${index}` })),
    )
    await Promise.all(
      all.map((sandbox, index) =>
        runInSandbox(sandbox, async () => {
          const inbox = await openInbox(redisChannels('same'))
          await redis.publish('same', String(index))
          await expect(inbox).toReceive(String(index), { within: 20_000 })
        }),
      ),
    )
    // Every message has been published and received by now: what went astray would be here.
    expect(all.map(({ messages }) => messages.map(({ payload }) => payload))).toEqual(
      all.map((_, index) => [String(index)]),
    )
    await Promise.all(all.map((sandbox) => sandbox.close()))
  })

  test('what an inbox itself says to the server is none of the application’s commands', async () => {
    const sandbox = await vivarium.openSandbox()
    const seen = await sandbox.observe(async () => {
      const inbox = await openInbox(redisPatterns('a*'))
      await inbox.close()
    })
    expect(seen.commands).toEqual([])
    await sandbox.close()
  })

  test('one that was opened for a file cannot be asked by its tests, and says where to open it', async () => {
    const file = await vivarium.openSandbox({ title: 'a file' })
    const inbox = await runInSandbox(file, () => openInbox(redisChannels('a')))
    const inside = await vivarium.openSandbox({ title: 'a test', within: file })
    await runInSandbox(inside, async () => {
      expect(() => inbox.messages).toThrow(/belongs to "a file" and hears nothing of what "a test" does/)
      await expect(expect(inbox).toReceiveNothing()).rejects.toMatchObject({ code: 'INBOX_NOT_SHARED' })
    })
    await inside.close()
    expect(inbox.messages).toEqual([])
    await file.close()
  })

  test('without Redis in the configuration it says so', async () => {
    await sandboxes.pass(async () => {
      await expect(openInbox(redisChannels('a'))).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    })
  })
})

describe('inboxes on Postgres', () => {
  let vivarium: Vivarium
  beforeAll(async () => {
    vivarium = await openVivarium({ postgres: { migrations } })
  })
  afterAll(() => vivarium?.close())

  test("are refused in isolation 'transaction', with the remedy", async () => {
    const sandbox = await vivarium.openSandbox()
    await expect(openInbox(pgChannels('a'))).rejects.toThrow(
      /would receive nothing in sandbox[^]*isolation 'transaction'[^]*isolation\/database[^]*NOTIFICATIONS_NOT_DELIVERED/,
    )
    await sandbox.close()
  })

  test('say nothing to the server that would be one of the application’s queries', async () => {
    const sandbox = await vivarium.openSandbox({ isolation: 'database' })
    const seen = await sandbox.observe(async () => {
      const inbox = await openInbox(pgChannels('It"s', 'b'))
      await inbox.close()
    })
    expect(seen.queries).toEqual([])
    await sandbox.close()
  })
})
