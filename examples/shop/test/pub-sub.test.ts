// Pub/sub: what is broadcast to a user reaches that user, wherever they listen, and nobody else. On both of the shop's adapters.
import { expect, onTestFinished, test } from 'vitest'
import type { NotificationMessage } from '../src/notifications/notifications.ts'
import { describeOnEachAdapter } from './support/adapters.ts'
import { openTestShop } from './support/test-shop.ts'

describeOnEachAdapter('a notification', (adapter) => {
  const { shop } = openTestShop({ adapter })
  const notification = { kind: 'order_paid', text: 'Your order is paid.' }
  const message = { type: 'new_notification', notification }

  /** Subscribes for a user; the messages that have arrived so far are in the list. */
  async function subscribe(userId: number): Promise<NotificationMessage[]> {
    const received: NotificationMessage[] = []
    const unsubscribe = await shop.notifications.subscribe(userId, (message) => received.push(message))
    onTestFinished(unsubscribe)
    return received
  }

  test('reaches the user who listens within a second', async () => {
    // Given a user who listens
    const received = await subscribe(1)

    // When a notification is broadcast to them, then it arrives
    await shop.notifications.broadcastToUser(1, notification)
    await expect.poll(() => received, { timeout: 1000 }).toEqual([message])
  })

  test('to three users reaches each on their own topic, and no fourth', async () => {
    // Given four users who listen
    const [first, second, third, fourth] = await Promise.all([1, 2, 3, 4].map(subscribe))

    // When a notification is broadcast to three of them, one of whom is named twice
    await shop.notifications.broadcastToUsers([1, 2, 3, 3], notification)

    // Then each of the three receives it once, and the fourth nothing
    await expect.poll(() => [first, second, third]).toEqual([[message], [message], [message]])
    await shop.notifications.broadcastToUser(4, { kind: 'last', text: 'Nothing came before this.' })
    await expect.poll(() => fourth).toMatchObject([{ notification: { kind: 'last' } }])
  })

  test('that says nothing is refused, and reaches nobody', async () => {
    const received = await subscribe(1)
    await expect(shop.notifications.broadcastToUser(1, { kind: 'empty', text: ' ' })).rejects.toThrow('text')
    await shop.notifications.broadcastToUser(1, notification)
    await expect.poll(() => received).toEqual([message])
  })

  test('tells a user that their order is paid, and nobody of one that is refused', async () => {
    // Given a user with a card who listens, and a product with 1 in stock
    const user = await shop.accounts.createUser({ email: 'ada@example.com', cardToken: 'tok_visa' })
    const teapot = await shop.catalog.addProduct({ name: 'Teapot', priceCents: 5000 })
    await shop.inventory.setStock(teapot.id, 1)
    const received = await subscribe(user.id)

    // When they order too many, and then the one
    await shop.orders.processOrder({ userId: user.id, items: [{ productId: teapot.id, quantity: 2 }] })
    await shop.orders.processOrder({ userId: user.id, items: [{ productId: teapot.id, quantity: 1 }] })

    // Then they hear of the one
    await expect
      .poll(() => received)
      .toMatchObject([{ notification: { kind: 'order_paid', text: expect.stringMatching(/^Order \d+ is paid\.$/) } }])
  })
})
