import { describe, expect, test } from 'vitest'
import { SandboxFailures, type Sandbox } from '../../../src/index.ts'
import { inboxMatchers, type MessageSource, openInbox } from '../../../src/pubsub/index.ts'
import { runInSandbox } from '../../../src/vivarium/current-sandbox.ts'

expect.extend(inboxMatchers)

/** Something that delivers messages, for the tests that every source must pass. */
export interface SourceDriver {
  /** There is a connection, or something else that can end from its other side. */
  readonly canBreak: boolean
  openSandbox(options: { title: string }): Promise<Sandbox>
  /** Called in a sandbox: something of its own to listen to. */
  start(sandbox: Sandbox): Promise<Deliverer>
}

/** What a driver has started, with something on the other side. */
export interface Deliverer extends AsyncDisposable {
  /** A source of the topics `one` and `two`; each call is a subscriber of its own. */
  source(): MessageSource | Promise<MessageSource>
  /** Publishes to all subscribers. */
  publish(topic: 'one' | 'two', text: string): unknown
  /** Breaks what the subscribers are connected by. */
  breakOff(): unknown
}

/** One suite, each source: whatever delivers messages passes it. */
export function describeSource(name: string, driver: SourceDriver): void {
  /** Runs `work` in a sandbox with something that delivers; closing it must find nothing wrong. */
  async function deliver(work: (deliverer: Deliverer, sandbox: Sandbox) => Promise<void>): Promise<void> {
    const sandbox = await driver.openSandbox({ title: 'a source' })
    try {
      await runInSandbox(sandbox, async () => {
        await using deliverer = await driver.start(sandbox)
        await work(deliverer, sandbox)
      })
    } finally {
      await sandbox.close()
    }
  }

  describe(name, () => {
    test('what is published from the moment the inbox is open arrives, on its topic, in order', async () => {
      await deliver(async (deliverer, sandbox) => {
        const inbox = await openInbox(await deliverer.source())
        for (const text of ['1', '2', '3']) await deliverer.publish('one', text)
        await deliverer.publish('two', '4')
        await expect(inbox).toReceiveInOrder(['1', '2', '3'], { topic: 'one', within: 20_000 })
        await expect(inbox).toReceive('4', { topic: 'two', within: 20_000 })
        await expect(inbox).toReceiveNothing({ within: 1 })
        expect(inbox.messages.map(({ topic, payload }) => [topic, payload])).toEqual([
          ['one', '1'],
          ['one', '2'],
          ['one', '3'],
          ['two', '4'],
        ])
        expect(sandbox.messages).toEqual(inbox.messages)
        expect(sandbox.interactions).toEqual(expect.arrayContaining([...inbox.messages]))
      })
    })

    test('a long text arrives whole, whatever is in it', async () => {
      await deliver(async (deliverer) => {
        const text = `größer 🚀 'quoted' "twice" \\ ${'é'.repeat(3000)}`
        const inbox = await openInbox(await deliverer.source())
        await deliverer.publish('one', text)
        await expect(inbox).toReceive(text, { within: 20_000 })
      })
    })

    test('each of several subscribers receives it', async () => {
      await deliver(async (deliverer) => {
        const inboxes = [await openInbox(await deliverer.source()), await openInbox(await deliverer.source())]
        await deliverer.publish('two', 'for all')
        await expect(inboxes).toReceive('for all', { topic: 'two', times: 1, within: 20_000 })
      })
    })

    test('nothing arrives in a closed inbox; another one goes on', async () => {
      await deliver(async (deliverer) => {
        const inbox = await openInbox(await deliverer.source())
        const other = await openInbox(await deliverer.source())
        await deliverer.publish('one', 'before')
        await expect([inbox, other]).toReceive('before', { within: 20_000 })
        await inbox.close()
        await deliverer.publish('one', 'behind')
        await expect(other).toReceive('behind', { within: 20_000 })
        expect(inbox.messages.map(({ payload }) => payload)).toEqual(['before'])
      })
    })

    test('an inbox ends with its sandbox', async () => {
      const sandbox = await driver.openSandbox({ title: 'ends' })
      await runInSandbox(sandbox, async () => {
        const deliverer = await driver.start(sandbox)
        const inbox = await openInbox(await deliverer.source())
        await sandbox.close()
        expect(inbox.messages).toEqual([])
        await expect(inbox).toReceiveNothing({ within: 60_000 })
        await deliverer[Symbol.asyncDispose]()
      })
    })

    if (!driver.canBreak) return
    test('when it breaks off, whoever waits is told at once, with the reason', async () => {
      await deliver(async (deliverer) => {
        const inbox = await openInbox(await deliverer.source())
        const waiting = inbox.next({ within: 60_000 }).catch((error: unknown) => error)
        await deliverer.breakOff()
        expect(await waiting).toMatchObject({
          code: 'MESSAGE_NOT_RECEIVED',
          message: expect.stringContaining('Its source broke: '),
        })
      }).catch((error: unknown) => {
        // What was broken off may be a promise of the sandbox, too.
        if (!(error instanceof SandboxFailures)) throw error
      })
    })
  })
}
