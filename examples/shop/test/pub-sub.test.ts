// Pub/sub: what is broadcast to a user reaches that user, wherever they listen, and nobody else. On both of the shop's adapters.
import { describe, expect, test } from 'vitest'
import { currentSandbox } from 'vivarium'
import { openInbox } from 'vivarium/pubsub'
import type { Inbox } from 'vivarium/pubsub'
import { redisChannels } from 'vivarium/redis'
import { describeOnEachAdapter, onRedis } from './support/adapters.ts'
import { given } from './support/factories.ts'
import { openTestShop } from './support/test-shop.ts'

const notification = { kind: 'order_paid', text: 'Your order is paid.' }
const message = { type: 'new_notification', notification }

describeOnEachAdapter('a notification', (adapter) => {
  const { shop } = openTestShop({ adapter })

  /** What a user hears who listens through the shop. */
  async function openInboxOf(userId: number): Promise<Inbox> {
    return await openInbox({
      name: `notifications of user ${userId}`,
      open: ({ deliver }) =>
        shop.notifications.subscribe(userId, (payload) => deliver({ topic: `notifications:${userId}`, payload })),
    })
  }

  test('reaches the user who listens within a second', async () => {
    // Given a user who listens
    const inbox = await openInboxOf(1)

    // When a notification is broadcast to them
    await shop.notifications.broadcastToUser(1, notification)

    // Then they receive it, once
    await expect(inbox).toReceive(message, { within: 1000 })
    await expect(inbox).toReceiveNothing()
  })

  test('to three users reaches each on their own topic, and no fourth', async () => {
    // Given four users who listen
    const inboxes = await Promise.all([1, 2, 3, 4].map(openInboxOf))

    // When a notification is broadcast to three of them, one of whom is named twice
    await shop.notifications.broadcastToUsers([1, 2, 3, 3], notification)

    // Then each of the three receives it once, and the fourth nothing
    await expect(inboxes.slice(0, 3)).toReceive(message, { times: 1 })
    await expect(inboxes).toReceiveNothing()
  })

  test('that says nothing is refused, and reaches nobody', async () => {
    const inbox = await openInboxOf(1)
    await expect(shop.notifications.broadcastToUser(1, { kind: 'empty', text: ' ' })).rejects.toThrow('text')
    await expect(inbox).toReceiveNothing()
  })

  test('tells a user that their order is paid, and nothing of one that is refused', async () => {
    // Given a user with a card who listens, and a product with 1 in stock
    const user = await given.insert('user', 'withCard')
    const teapot = await given.insert('product', { stock: 1 })
    const inbox = await openInboxOf(user.id)

    // When they order too many, and then the one
    await shop.orders.processOrder({ userId: user.id, items: [{ productId: teapot.id, quantity: 2 }] })
    await shop.orders.processOrder({ userId: user.id, items: [{ productId: teapot.id, quantity: 1 }] })

    // Then they hear of the one
    const text = expect.stringMatching(/^Order \d+ is paid\.$/)
    await expect(inbox).toReceive({ type: 'new_notification', notification: { kind: 'order_paid', text } })
    await expect(inbox).toReceiveNothing()
  })
})

describe('a notification, as Redis sees it', onRedis, () => {
  const { shop } = openTestShop({ adapter: 'redis' })

  test('is one message on the channel of its user', async () => {
    // Given an inbox on the channels of two users
    const inbox = await openInbox(redisChannels('notifications:1', 'notifications:2'))

    // When one of them is notified
    const seen = await currentSandbox().observe(() => shop.notifications.broadcastToUser(1, notification))

    // Then the message stands on their channel, and was published once
    await expect(inbox).toReceive(message, { topic: 'notifications:1' })
    await expect(inbox).toReceiveNothing()
    expect(seen.commands.map(({ command }) => command)).toEqual(['PUBLISH'])
  })
})
