import { EventEmitter } from 'node:events'
import { describe, expect, test } from 'vitest'
import { fromEmitter, inboxMatchers, type Inbox, type MessageSource, openInbox } from '../../../src/pubsub/index.ts'
import { codesOf, useSandboxes } from '../../support/sandboxes.ts'

expect.extend(inboxMatchers)

const sandboxes = await useSandboxes()

/** Runs `work` in a sandbox of its own, with an inbox on events of an emitter; what it throws and what closing reports fail the test. */
async function withInbox(work: (inbox: Inbox, emitter: EventEmitter) => Promise<void>): Promise<void> {
  const emitter = new EventEmitter()
  await sandboxes.pass(async () => work(await openInbox(fromEmitter(emitter, 'a', 'b')), emitter))
}

/** What an assertion that is to fail says. */
async function failureOf(assertion: Promise<unknown>): Promise<string> {
  const error = await assertion.then(
    () => new Error('it passed'),
    (caught: unknown) => caught as Error,
  )
  return error.message.replaceAll(/\d+ ms ago/g, 'N ms ago')
}

describe('toReceive', () => {
  test.each([
    ['an equal value', { id: 17, note: 'x' }],
    ['a value with matchers in it', { id: expect.any(Number), note: expect.stringContaining('x') }],
    ['a matcher', expect.objectContaining({ id: 17 })],
    ['a function of the payload', (payload: unknown) => (payload as { id: number }).id === 17],
    ['a function of the message', (_: unknown, { topic }: { topic: string }) => topic === 'a'],
    ['nothing in particular', undefined],
  ])('is content with %s, arrived before or after it was asked', async (_, expected) => {
    await withInbox(async (inbox, emitter) => {
      const later = expect(inbox).toReceive(expected, { within: 20_000 })
      emitter.emit('a', { id: 17, note: 'x' })
      await later
      await expect(inbox).toReceive(expected)
    })
  })

  test('a regular expression is for the text that came, parsed or not', async () => {
    await withInbox(async (inbox, emitter) => {
      emitter.emit('a', 'order 17 paid')
      await expect(inbox).toReceive(/order \d+/)
      await expect(inbox).not.toReceive(/sent/, { within: 1 })
    })
  })

  test('order does not matter and nothing is consumed', async () => {
    await withInbox(async (inbox, emitter) => {
      emitter.emit('a', 1)
      emitter.emit('a', 2)
      await expect(inbox).toReceive(2)
      await expect(inbox).toReceive(1)
      await expect(inbox).toReceive(2)
    })
  })

  test('what does not come in time is an error that lists what did, and how the nearest differs', async () => {
    await withInbox(async (inbox, emitter) => {
      emitter.emit('a', { type: 'new_notification', notification: { title: 'Paid', id: 17 } })
      emitter.emit('b', 'a text')
      const expected = { type: 'new_notification', notification: { title: 'Shipped', id: 17 } }
      expect(await failureOf(expect(inbox).toReceive(expected, { within: 20 }))).toMatchInlineSnapshot(`
        "No message matched within 20 ms.

        Expected:
          { type: 'new_notification', notification: { title: 'Shipped', id: 17 } }

        event a, b: 2 messages arrived, the nearest is 1)
          1) a, N ms ago:
             { type: 'new_notification', notification: { title: 'Paid', id: 17 } }
             payload.notification.title: expected 'Shipped', received 'Paid'
          2) b, N ms ago: 'a text'"
      `)
    })
  })

  test('an empty inbox says so', async () => {
    await withInbox(async (inbox) => {
      expect(await failureOf(expect(inbox).toReceive({ a: 1 }, { within: 1, topic: 'a' }))).toMatchInlineSnapshot(`
        "No message matched within 1 ms.

        Expected:
          { a: 1 }
          on topic 'a'

        Nothing has arrived in event a, b since it was opened."
      `)
    })
  })

  test('`times` counts: too few fail in time, too many at once', async () => {
    await withInbox(async (inbox, emitter) => {
      emitter.emit('a', 1)
      expect(await failureOf(expect(inbox).toReceive(1, { times: 2, within: 1 }))).toMatchInlineSnapshot(`
        "1 message matched within 1 ms, and 2 should have.

        Expected:
          1

        event a, b: 1 message arrived
          1) a, N ms ago: 1"
      `)
      emitter.emit('a', 1)
      await expect(inbox).toReceive(1, { times: 2 })
      emitter.emit('a', 1)
      expect(await failureOf(expect(inbox).toReceive(1, { times: 2, within: 60_000 }))).toMatchInlineSnapshot(`
        "3 messages matched, and 2 should have.

        Expected:
          1

        event a, b: 3 messages arrived
          1) a, N ms ago: 1
          2) a, N ms ago: 1
          3) a, N ms ago: 1"
      `)
    })
  })

  test('by topic, and on each of several', async () => {
    await withInbox(async (inbox, emitter) => {
      emitter.emit('a', 1)
      await expect(inbox).toReceive(1, { topic: 'a' })
      await expect(inbox).toReceive(1, { topic: /^a$/ })
      await expect(inbox).not.toReceive(1, { topic: 'b', within: 1 })
      expect(await failureOf(expect(inbox).toReceive(1, { topic: ['a', 'b'], within: 1 }))).toMatchInlineSnapshot(`
        "No message matched within 1 ms.

        Expected:
          1
          on topic 'b'

        event a, b: 1 message arrived
          1) a, N ms ago: 1
             topic: expected 'b', received 'a'"
      `)
      emitter.emit('b', 1)
      await expect(inbox).toReceive(1, { topic: ['a', 'b'] })
    })
  })

  test('each of several subscribers, as a list or by name', async () => {
    await withInbox(async (ada, emitter) => {
      const grace = await openInbox(fromEmitter(emitter, 'b'))
      emitter.emit('b', 'hello')
      await expect([ada, grace]).toReceive('hello')
      emitter.emit('a', 'only Ada')
      const asserted = expect({ ada, grace }).toReceive('only Ada', { within: 1 })
      expect(await failureOf(asserted)).toMatchInlineSnapshot(`
        "1 of 2 received no such message within 1 ms.

        Expected:
          'only Ada'

        grace: 1 message arrived
          1) b, N ms ago: 'hello'
             payload: expected 'only Ada', received 'hello'
        As expected: ada."
      `)
    })
  })
})

describe('toReceiveNothing', () => {
  test('is content with silence, and with what was accounted for', async () => {
    await withInbox(async (inbox, emitter) => {
      await expect(inbox).toReceiveNothing({ within: 1 })
      emitter.emit('a', 1)
      await expect(inbox).toReceive(1)
      await expect(inbox).toReceiveNothing({ within: 1 })
    })
  })

  test('fails for what is there already, for what comes meanwhile, and for one that is too many', async () => {
    await withInbox(async (inbox, emitter) => {
      emitter.emit('a', 'early')
      expect(await failureOf(expect(inbox).toReceiveNothing({ within: 60_000 }))).toMatchInlineSnapshot(`
        "Expected no such message, and 1 was received.

        event a, b: 1 message arrived
          1) a, N ms ago: 'early'"
      `)
      await expect(inbox).toReceive('early')
      const failed = failureOf(expect(inbox).toReceiveNothing({ within: 60_000 }))
      emitter.emit('b', 'early')
      expect(await failed).toContain('1 was received')
      emitter.emit('a', 'twice')
      emitter.emit('a', 'twice')
      await expect(inbox).toReceive('twice')
      await expect(inbox).not.toReceiveNothing({ matching: 'twice' })
    })
  })

  test('may be about one topic, or one kind of message', async () => {
    await withInbox(async (inbox, emitter) => {
      emitter.emit('a', { id: 1 })
      await expect(inbox).toReceiveNothing({ within: 1, topic: 'b' })
      await expect(inbox).toReceiveNothing({ within: 1, matching: { id: 2 } })
      await expect(inbox).not.toReceiveNothing({ topic: 'a' })
    })
  })
})

describe('toReceiveInOrder', () => {
  test('others may come between them, but not in another order', async () => {
    await withInbox(async (inbox, emitter) => {
      for (const step of ['paid', 'packed', 'sent']) emitter.emit('a', step)
      await expect(inbox).toReceiveInOrder(['paid', /^s/])
      expect(await failureOf(expect(inbox).toReceiveInOrder(['sent', 'paid'], { within: 1 }))).toMatchInlineSnapshot(`
        "Number 2 of 2 expected messages did not come behind message 3) within 1 ms.

        Expected in this order:
          'sent'
          'paid'

        event a, b: 3 messages arrived, the nearest is 3)
          1) a, N ms ago: 'paid'
          2) a, N ms ago: 'packed'
          3) a, N ms ago: 'sent'
             payload: expected 'paid', received 'sent'"
      `)
      await expect(inbox).not.toReceiveInOrder(['packed', 'packed'], { within: 1 })
      await expect(inbox).toReceiveNothing({ within: 1, matching: /^s/ })
      await expect(inbox).not.toReceiveNothing({ matching: 'packed' })
    })
  })

  test('it waits for the rest', async () => {
    await withInbox(async (inbox, emitter) => {
      emitter.emit('a', 1)
      const later = expect(inbox).toReceiveInOrder([1, 2, 3], { within: 20_000 })
      emitter.emit('b', 2)
      emitter.emit('a', 3)
      await later
    })
  })
})

describe('an inbox', () => {
  test('gives what was not accounted for, one after the other', async () => {
    await withInbox(async (inbox, emitter) => {
      emitter.emit('a', 1)
      emitter.emit('b', 2)
      emitter.emit('a', 3)
      await expect(inbox).toReceive(1)
      expect((await inbox.next()).payload).toBe(2)
      expect((await inbox.next({ topic: 'a' })).payload).toBe(3)
      const later = inbox.next({ within: 20_000 })
      emitter.emit('a', 4)
      expect((await later).payload).toBe(4)
      expect(await failureOf(inbox.next({ within: 1 }))).toMatchInlineSnapshot(`
        "No further message came within 1 ms.

        event a, b: 4 messages arrived
          1) a, N ms ago: 1
          2) b, N ms ago: 2
          3) a, N ms ago: 3
          4) a, N ms ago: 4
          What to do: Compare it with what was published; or wait longer: \`next({ within: 5000 })\`.
          (MESSAGE_NOT_RECEIVED)"
      `)
    })
  })

  test('two that wait for the next message get one each', async () => {
    await withInbox(async (inbox, emitter) => {
      const both = Promise.all([inbox.next({ within: 20_000 }), inbox.next({ within: 20_000 })])
      emitter.emit('a', 1)
      emitter.emit('a', 2)
      expect((await both).map(({ payload }) => payload)).toEqual([1, 2])
    })
  })

  test('when it is closed nothing arrives any more, and what is awaited fails at once', async () => {
    await withInbox(async (inbox, emitter) => {
      emitter.emit('a', 1)
      const failed = failureOf(expect(inbox).toReceive(2, { within: 60_000 }))
      await inbox.close()
      emitter.emit('a', 2)
      expect(emitter.listenerCount('a')).toBe(0)
      expect(inbox.messages.map(({ payload }) => payload)).toEqual([1])
      expect(await failed).toMatchInlineSnapshot(`
        "No message matched, and no more will come.

        Expected:
          2

        event a, b: 1 message arrived
          1) a, N ms ago: 1
             payload: expected 2, received 1
          It was closed: nothing arrives any more."
      `)
      await expect(inbox).toReceive(1)
      await expect(inbox).toReceiveNothing({ within: 60_000 })
      await inbox.close()
    })
  })

  test('a source that breaks ends every wait at once, with the reason; no absence is proved by it', async () => {
    await sandboxes.pass(async () => {
      let breakIt!: (error: Error) => void
      const source: MessageSource = {
        name: 'a broker',
        open: ({ ended }) => {
          breakIt = ended
          return () => undefined
        },
      }
      const inbox = await openInbox(source)
      const awaited = failureOf(expect(inbox).toReceive(1, { within: 60_000 }))
      const next = failureOf(inbox.next({ within: 60_000 }))
      const nothing = failureOf(expect(inbox).toReceiveNothing({ within: 60_000 }))
      const never = failureOf(expect(inbox).not.toReceive(1, { within: 60_000 }))
      breakIt(new Error('connection lost'))
      expect(await awaited).toMatchInlineSnapshot(`
        "No message matched, and no more will come.

        Expected:
          1

        Nothing has arrived in a broker since it was opened.
          Its source broke: connection lost"
      `)
      expect(await next).toContain('Its source broke: connection lost')
      for (const absence of [nothing, never]) expect(await absence).toMatch(/INBOX_BROKEN/)
    })
  })

  test('what nobody awaited is reported when the sandbox closes, and does not hang', async () => {
    const emitter = new EventEmitter()
    let waiting: Promise<string> | undefined
    const outcome = await sandboxes.run(async () => {
      const inbox = await openInbox(fromEmitter(emitter, 'a'))
      waiting = failureOf(expect(inbox).toReceive(1, { within: 60_000 }))
    })
    expect(codesOf(outcome)).toEqual(['MESSAGE_STILL_AWAITED'])
    expect(await waiting).toContain('toReceive() of event a was still waiting when sandbox "a test" closed.')
    expect(emitter.listenerCount('a')).toBe(0)
  })
})
