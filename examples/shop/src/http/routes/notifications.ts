import { z } from 'zod'
import { requireSelf } from '../authentication.ts'
import { openEventStream } from '../event-stream.ts'
import { notification, userIdInPath, userIds } from '../fields.ts'
import { route } from '../route.ts'

/** Of an event stream. A proxy is to pass each event on as it comes. */
const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' }

export const notificationRoutes = [
  route({
    method: 'get',
    path: '/api/users/{userId}/notifications',
    summary: 'A user’s own notifications, as they come: server-sent events of the type new_notification',
    access: 'user',
    params: z.strictObject({ userId: userIdInPath }),
    status: 200,
    answerType: 'text/event-stream',
    answer: z.string(),
    refuses: ['malformed_user_id', 'not_yours'],
    async handle({ shop, user, params: { userId }, context, stopping, heartbeatMs, logger }) {
      requireSelf(user, userId)
      // HEAD: nobody would read the stream, nor end it.
      if (context.req.method === 'HEAD') return context.body(null, 200, headers)
      const stream = openEventStream({ heartbeatMs, signals: [stopping, context.req.raw.signal] })
      try {
        // Before the client learns that it is connected: what is sent from then on arrives.
        const unsubscribe = await shop.notifications.subscribe(userId, ({ type, ...data }) => stream.send(type, data))
        stream.ended.then(unsubscribe).catch((error: Error) => logger.warn('unsubscribing failed', { error }))
      } catch (error) {
        stream.end()
        throw error
      }
      return context.body(stream.body, 200, headers)
    },
  }),

  route({
    method: 'post',
    path: '/internal/notifications',
    summary: 'Sends a notification to users, wherever they listen',
    access: 'staff',
    body: z.strictObject({ userIds, notification }),
    status: 202,
    refuses: ['malformed_user_ids', 'malformed_user_id', 'malformed_notification', 'malformed_kind', 'malformed_text'],
    handle: ({ shop, body }) => shop.notifications.broadcastToUsers(body.userIds, body.notification),
  }),
]
