// Notifications over HTTP: a stream of server-sent events, read through the application's own fetch.
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { fromEventStream, openInbox } from 'vivarium/pubsub'
import type { Inbox } from 'vivarium/pubsub'
import { openTestApp, signedIn, staffToken } from '../support/test-app.ts'

const { shop, ask, fetch } = openTestApp({ heartbeatMs: 20 })
const stopping = new AbortController()
const stoppingApp = openTestApp({ stopping: stopping.signal })

const notification = { kind: 'order_paid', text: 'Your order is paid' }

function listening(userId: number, token: string, signal?: AbortSignal): Request {
  const headers = { authorization: `Bearer ${token}` }
  return new Request(`http://shop.test/api/users/${userId}/notifications`, { headers, ...(signal && { signal }) })
}

/** An inbox on what a user who is signed in is sent. */
async function openUsersInbox(email: string): Promise<{ inbox: Inbox; userId: number; token: string }> {
  const { user, token } = await signedIn(shop, email)
  const inbox = await openInbox(fromEventStream(await fetch(listening(user.id, token)), { name: `events of ${email}` }))
  return { inbox, userId: user.id, token }
}

test('a notification reaches its user, live, and nobody else', async () => {
  // Given two users who listen
  const ada = await openUsersInbox('ada@example.com')
  const grace = await openUsersInbox('grace@example.com')

  // When one of them is notified
  await shop.notifications.broadcastToUser(ada.userId, notification)

  // Then they receive it, and the other one nothing
  await expect(ada.inbox).toReceive({ notification }, { topic: 'new_notification' })
  await expect(grace.inbox).toReceiveNothing()
})

test('the staff notifies several users at once', async () => {
  // Given two users who listen
  const ada = await openUsersInbox('ada@example.com')
  const grace = await openUsersInbox('grace@example.com')

  // When the staff sends them something
  const json = { userIds: [ada.userId, grace.userId], notification }
  expect(await ask('POST /internal/notifications', { token: staffToken, json })).toMatchObject({ status: 202 })

  // Then both receive it
  await expect(ada.inbox).toReceive({ notification })
  await expect(grace.inbox).toReceive({ notification })
})

test('nothing is missed: what is sent as soon as the answer is there arrives, also to who reads late', async () => {
  // Given an answer whose body nobody has read yet
  const { user, token } = await signedIn(shop)
  const response = await fetch(listening(user.id, token))

  // When something is sent, and then the body is read
  await shop.notifications.broadcastToUser(user.id, notification)
  const inbox = await openInbox(fromEventStream(response))

  // Then it is in it
  await expect(inbox).toReceive({ notification })
})

describe('a stream that is not one’s own', () => {
  test.each([
    ['another user’s', { status: 403, error: 'not_yours' }],
    ['anybody’s, without signing in', { status: 401, error: 'not_signed_in' }],
  ])('%s is refused', async (whose, { status, error }) => {
    // Given two users
    const { user: ada } = await signedIn(shop)
    const grace = await signedIn(shop, 'grace@example.com')

    // When it is asked for
    const token = whose === 'another user’s' ? { token: grace.token } : {}
    const answer = await ask(`GET /api/users/${ada.id}/notifications`, token)

    // Then there is no stream
    expect(answer).toMatchObject({ status, body: { error } })
  })

  test('the staff’s token is no user’s, and a user’s none of the staff’s', async () => {
    const { user, token } = await signedIn(shop)
    const json = { userIds: [user.id], notification }
    expect(await ask('POST /internal/notifications', { token, json })).toMatchObject({ status: 401 })
    expect(await ask(`GET /api/users/${user.id}/notifications`, { token: staffToken })).toMatchObject({ status: 401 })
  })
})

test('a quiet stream shows that it is alive', async () => {
  // Given a stream on which nothing happens
  const { user, token } = await signedIn(shop)
  const reader = (await fetch(listening(user.id, token))).body!.getReader()
  const next = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value)

  // Then it says when to come back, and from time to time that it is there
  expect(await next()).toBe('retry: 1000\n\n')
  expect(await next()).toBe(': still here\n\n')
  await reader.cancel()
})

test('who only asks for the headers is listened for by nobody', async () => {
  // Given somebody who asks with HEAD, of whose answer nobody will read a body
  const { user, token } = await signedIn(shop)
  const subscribe = vi.spyOn(shop.notifications, 'subscribe')
  onTestFinished(() => subscribe.mockRestore())
  const answer = await fetch(new Request(listening(user.id, token), { method: 'HEAD' }))

  // Then they get the headers of the stream, and there is none
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
  expect(subscribe).not.toHaveBeenCalled()
})

test('a client that goes away ends its stream', async () => {
  // Given a stream
  const { user, token } = await signedIn(shop)
  const client = new AbortController()
  const { body } = await fetch(listening(user.id, token, client.signal))

  // When the client goes away
  client.abort()

  // Then the stream ends, which is read to its end here
  expect(await new Response(body).text()).toMatch(/^retry: 1000\n\n/)
})

test('a shop that stops ends its streams', async () => {
  // Given a stream
  const { user, token } = await signedIn(shop)
  const { body } = await stoppingApp.fetch(listening(user.id, token))

  // When the shop stops, then the stream ends
  stopping.abort()
  expect(await new Response(body).text()).toMatch(/^retry: 1000\n\n/)
})
