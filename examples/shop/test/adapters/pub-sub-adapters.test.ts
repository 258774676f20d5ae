// What every pub/sub must do, whatever carries its messages: one suite for all adapters.
import { afterAll, expect, test, vi } from 'vitest'
import type { Json } from '../../src/json.ts'
import type { PubSub } from '../../src/pub-sub/pub-sub.ts'
import type { Report } from '../../src/report.ts'
import { describeOnEachAdapter, openPubSub } from '../support/adapters.ts'

/** Listens to a topic; what was heard so far is in the list. */
async function listen(pubSub: PubSub, topic: string): Promise<{ heard: Json[]; stop: () => Promise<void> }> {
  const heard: Json[] = []
  return { heard, stop: await pubSub.subscribe(topic, (message) => heard.push(message)) }
}

describeOnEachAdapter('a pub/sub', (adapter) => {
  const pubSub = openPubSub(adapter)
  afterAll(() => pubSub.close())

  test('what is published arrives at everybody who listens to the topic, as it was', async () => {
    // Given two who listen to a topic
    const one = await listen(pubSub, 'news')
    const other = await listen(pubSub, 'news')

    // When something is published
    const message = { title: 'Sale', details: [1, null, { ключ: '🫖' }] }
    await pubSub.publish('news', message)

    // Then both hear it, each their own
    await expect.poll(() => [one.heard, other.heard]).toEqual([[message], [message]])
    expect(one.heard[0]).not.toBe(other.heard[0])
  })

  test('nobody hears another topic, nor what was published before they listened', async () => {
    // Given what was published earlier, and somebody who listens to another topic
    await pubSub.publish('news', 'old')
    const weather = await listen(pubSub, 'weather')
    const news = await listen(pubSub, 'news')

    // When something is published on both
    await pubSub.publish('news', 'new')
    await pubSub.publish('weather', 'fine')

    // Then each hears what is theirs
    await expect.poll(() => [news.heard, weather.heard]).toEqual([['new'], ['fine']])
  })

  test('messages keep their order', async () => {
    const { heard } = await listen(pubSub, 'news')
    const messages = Array.from({ length: 100 }, (_, number) => number)
    await Promise.all(messages.map((number) => pubSub.publish('news', number)))
    await expect.poll(() => heard.length).toBe(100)
    expect(heard).toEqual(messages)
  })

  test('who has stopped hears no more, the others do', async () => {
    // Given two, one of whom stops, twice
    const one = await listen(pubSub, 'news')
    const other = await listen(pubSub, 'news')
    await one.stop()
    await one.stop()

    // When something is published, then only the other hears it
    await pubSub.publish('news', 'hello')
    await expect.poll(() => other.heard).toEqual(['hello'])
    expect(one.heard).toEqual([])
  })

  test('a topic can be listened to again at once after its last listener has gone', async () => {
    // Given a topic whose only listener goes while another one comes
    const { stop } = await listen(pubSub, 'news')
    const [{ heard }] = await Promise.all([listen(pubSub, 'news'), stop()])
    const { heard: alsoHeard } = await stop().then(() => listen(pubSub, 'news'))

    // When something is published, then it is heard
    await pubSub.publish('news', 'hello')
    await expect.poll(() => [heard, alsoHeard]).toEqual([['hello'], ['hello']])
  })

  test('a listener that throws keeps no other from hearing, and is reported', async () => {
    // Given one who throws, and somebody behind them
    const report = vi.fn<Report>()
    const reporting = openPubSub(adapter, { report })
    await reporting.subscribe('news', () => {
      throw new Error('not in the mood')
    })
    const { heard } = await listen(reporting, 'news')

    // When something is published
    await reporting.publish('news', 'hello')

    // Then the other one hears it
    await expect.poll(() => heard).toEqual(['hello'])
    expect(report).toHaveBeenCalledWith('A message on news was not taken', new Error('not in the mood'))
    await reporting.close()
  })

  test('what is closed is silent, and closes twice', async () => {
    const other = openPubSub(adapter)
    const { heard } = await listen(other, 'news')
    const still = await listen(pubSub, 'news')
    await other.close()
    await other.close()
    await pubSub.publish('news', 'hello')
    await expect.poll(() => still.heard).toEqual(['hello'])
    expect(heard).toEqual([])
  })
})
