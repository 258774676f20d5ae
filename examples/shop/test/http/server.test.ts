// What only a socket shows. Everything else of the API is tested through the application's fetch.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer } from '../../src/http/server.ts'
import type { Server } from '../../src/http/server.ts'
import { openTestApp, signedIn } from '../support/test-app.ts'

const { shop, fetch: answer } = openTestApp()

let server: Server
beforeAll(async () => {
  server = await startServer({ fetch: answer, host: '127.0.0.1', port: 0 })
})
afterAll(() => server.stop(0))

test('a client that vanishes is listened for no longer', async () => {
  // Given a client on an event stream
  const { user, token } = await signedIn(shop)
  const { subscribe } = shop.notifications
  const unsubscribed = new Promise<void>((resolve) => {
    shop.notifications.subscribe = async (...args) => {
      const unsubscribe = await subscribe(...args)
      return async () => {
        await unsubscribe()
        resolve()
      }
    }
  })
  const client = new AbortController()
  const headers = { authorization: `Bearer ${token}` }
  await fetch(`${server.url}/api/users/${user.id}/notifications`, { headers, signal: client.signal })

  // When its connection is gone
  client.abort()

  // Then the subscription is, too
  await unsubscribed
  shop.notifications.subscribe = subscribe
})

test('a body that does not say how long it is, and does not end, is refused when it is too large', async () => {
  // Given a client that goes on sending
  const body = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array(10_000)) })
  const headers = { 'content-type': 'application/json' }

  // When it sends that to an endpoint
  const init = { method: 'POST', headers, body, duplex: 'half' } as RequestInit
  const response = await fetch(`${server.url}/api/session`, init)

  // Then it is answered before the end that never comes
  expect(response.status).toBe(413)
  expect(await response.json()).toMatchObject({ error: 'body_too_large' })
})

test('a port that is taken is an error, and not a server that nobody reaches', async () => {
  const port = Number(new URL(server.url).port)
  await expect(startServer({ fetch: answer, host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
})
