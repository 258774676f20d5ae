import { z } from 'zod'
import type { PubSub, Unsubscribe } from '../pub-sub/pub-sub.ts'
import type { Report } from '../report.ts'

const notificationSchema = z.object({
  /** What it is about, for programs: `order_paid`. */
  kind: z.string().regex(/^[a-z]+(_[a-z]+)*$/),
  /** What it says, for people. */
  text: z.string().trim().min(1).max(500),
})

export type Notification = z.output<typeof notificationSchema>

const messageSchema = z.object({ type: z.literal('new_notification'), notification: notificationSchema })

/** What is published on the topic `notifications:<userId>`. */
export type NotificationMessage = z.output<typeof messageSchema>

export interface Notifications {
  /** Resolves when it is on its way to wherever the user listens. A malformed notification throws a `ZodError`. */
  broadcastToUser(userId: number, notification: Notification): Promise<void>
  /**
   * The same for several users, each of whom gets it once. The failure of one keeps it from no other; all failures together are thrown as an
   * `AggregateError`.
   */
  broadcastToUsers(userIds: readonly number[], notification: Notification): Promise<void>
  /** What is broadcast to a user from now on. */
  subscribe(userId: number, listener: (message: NotificationMessage) => void): Promise<Unsubscribe>
}

export function createNotifications({ pubSub, report }: { pubSub: PubSub; report: Report }): Notifications {
  async function broadcastToUser(userId: number, notification: Notification): Promise<void> {
    const message = { type: 'new_notification', notification: notificationSchema.parse(notification) } as const
    await pubSub.publish(topicOf(userId), message)
  }

  return {
    broadcastToUser,

    async broadcastToUsers(userIds, notification) {
      const users = [...new Set(userIds)]
      const sent = await Promise.allSettled(users.map((userId) => broadcastToUser(userId, notification)))
      const failures = sent.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
      if (failures.length === 0) return
      throw new AggregateError(failures, `${failures.length} of ${users.length} users could not be notified.`)
    },

    subscribe: (userId, listener) =>
      pubSub.subscribe(topicOf(userId), (message) => {
        const parsed = messageSchema.safeParse(message)
        if (parsed.success) listener(parsed.data)
        else report(`A message for user ${userId} is no notification`, parsed.error)
      }),
  }
}

const topicOf = (userId: number): string => `notifications:${userId}`
