// What operates the shop asks of it: is it well, what can it do, and what happened.
import { readFile } from 'node:fs/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { openContract } from 'vivarium/http'
import { refusalsOf } from '../../src/http/openapi.ts'
import { routes } from '../../src/http/routes.ts'
import { given } from '../support/factories.ts'
import { provider } from '../support/payment-provider.ts'
import { openTestApp, signedIn } from '../support/test-app.ts'

/** What the health checks do, as long as a test says nothing else. */
const up = { redis: async (): Promise<void> => {}, mail: async (): Promise<void> => {} }
const checks = { ...up }
beforeEach(() => void Object.assign(checks, up))

const { shop, ask, logged } = openTestApp({
  healthDeadlineMs: 50,
  healthChecks: [
    { name: 'redis', check: () => checks.redis() },
    { name: 'mail', check: () => checks.mail() },
  ],
})

const stopping = new AbortController()
const stoppingApp = openTestApp({ stopping: stopping.signal })

describe('health', () => {
  test('a shop whose parts are up is ready', async () => {
    expect(await ask('GET /health')).toMatchObject({
      status: 200,
      body: { ready: true, parts: { redis: 'up', mail: 'up' } },
    })
  })

  test('one that lacks a part says which, and is alive all the same', async () => {
    // Given a mail service that cannot be reached
    checks.mail = () => Promise.reject(new Error('connect ECONNREFUSED'))

    // When it is asked, then it is not ready, and need not be restarted
    expect(await ask('GET /health')).toMatchObject({
      status: 503,
      body: { ready: false, parts: { redis: 'up', mail: 'down' } },
    })
    expect(await ask('GET /health/live')).toMatchObject({ status: 200, body: { live: true } })
  })

  test('a part that does not answer in time counts as down, and keeps nobody waiting', async () => {
    // Given a Redis that never answers
    checks.redis = () => new Promise(() => {})

    // When it is asked, then it says so
    expect(await ask('GET /health')).toMatchObject({ status: 503, body: { parts: { redis: 'timed_out', mail: 'up' } } })
  })
})

test('a shop that stops is not ready any more', async () => {
  stopping.abort()
  expect(await stoppingApp.ask('GET /health')).toMatchObject({ status: 503, body: { ready: false } })
})

describe('the OpenAPI document', () => {
  test('is valid, and has every route of the application with all that it refuses', async () => {
    // Given what the application serves
    const { body } = await ask('GET /openapi.json')
    const document = body as { paths: Record<string, Record<string, { responses: Record<string, unknown> }>> }

    // Then it can be opened as a contract, which looks at all of its frame and its references
    await openContract(document, { baseUrl: 'http://shop.test' })
    // and has the routes of the application, no more and no less
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    )
    expect(documented.toSorted()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).toSorted())
    for (const route of routes) {
      const { responses } = document.paths[route.path]![route.method]!
      for (const code of refusalsOf(route)) expect(JSON.stringify(responses)).toContain(`"${code}"`)
    }
  })
})

test('the README has every endpoint', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const endpoints = routes.map(({ method, path }) => `\`${method.toUpperCase()} ${path}\``)
  expect(endpoints.filter((endpoint) => !readme.includes(endpoint))).toEqual([])
})

describe('what is there for nobody', () => {
  test('a URL without an endpoint is 404, by name', async () => {
    expect((await ask('GET /api/teapots')).body).toMatchObject({ error: 'unknown_route' })
  })

  test('a method that an endpoint does not take is 405, with those that it takes', async () => {
    const { status, headers, body } = await ask('PUT /api/orders')
    expect([status, headers.get('allow')]).toEqual([405, expect.stringMatching(/GET.*POST|POST.*GET/)])
    expect(body).toMatchObject({ error: 'method_not_allowed' })
  })
})

describe('the log', () => {
  test('has a line per request, which its answer names', async () => {
    // When somebody who is signed in asks
    const { user, token } = await signedIn(shop)
    const { headers } = await ask('GET /api/orders/17', { token })

    // Then the line says who asked for what and what became of it, without the number that they asked for
    const line = logged.find(({ requestId }) => requestId === headers.get('x-request-id'))
    expect(line).toEqual({
      time: expect.any(String),
      level: 'info',
      event: 'request',
      requestId: expect.any(String),
      method: 'GET',
      route: '/api/orders/:orderId',
      status: 404,
      refusal: 'unknown_order',
      userId: user.id,
      durationMs: expect.any(Number),
    })
  })

  test('keeps the request id of a proxy before us, unless it is none', async () => {
    const named = await ask('GET /api/products', { headers: { 'x-request-id': 'from-the-proxy-1' } })
    expect(named.headers.get('x-request-id')).toBe('from-the-proxy-1')
    const odd = await ask('GET /api/products', { headers: { 'x-request-id': '{"level":"error"}' } })
    expect(odd.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('has what went wrong, and the user has the number to ask for it', async () => {
    // Given a provider that cannot be reached
    const { token } = await signedIn(shop)
    const { id: productId } = await given.insert('product')
    provider.expect.charge().rejects(new Error('connect ECONNREFUSED'))

    // When an order is placed
    const answer = await ask('POST /api/orders', { token, json: { items: [{ productId, quantity: 1 }] } })

    // Then the answer says nothing of the inside
    expect(answer).toMatchObject({ status: 500, body: { error: 'internal_error' } })
    expect(JSON.stringify(answer.body)).not.toContain('ECONNREFUSED')
    // and the log has it under the answer's number
    const { requestId } = answer.body as { requestId: string }
    expect(logged.find(({ event }) => event === 'request failed')).toMatchObject({
      level: 'error',
      requestId,
      error: { name: 'Error', message: 'connect ECONNREFUSED', stack: expect.stringContaining('at ') },
    })
  })
})
