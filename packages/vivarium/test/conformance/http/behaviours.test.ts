// The truth about a client is the client on a real socket: each behaviour is compared with a plain server that behaves so, written by hand.
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Behaviour,
  defineService,
  down,
  failsOnce,
  rateLimited,
  redirect,
  reset,
  slow,
  timeOut,
  truncated,
} from '../../../src/http/index.ts'
import { openVivarium, type Vivarium } from '../../../src/index.ts'
import { clients, outcomeOf } from './clients.ts'

const charge = JSON.stringify({ id: 'ch_1', object: 'charge', description: 'a'.repeat(100) })
const service = defineService('Stripe', 'https://api.stripe.test')

/** What the plain server does on a path, and the behaviour that is to look the same. */
const behaviours: Readonly<Record<string, { ours: Behaviour | undefined; real: (response: ServerResponse) => void }>> =
  {
    well: { ours: undefined, real: (response) => json(response, 200, charge) },
    slow: { ours: slow(50), real: (response) => void setTimeout(() => json(response, 200, charge), 50) },
    timeOut: { ours: timeOut(), real: () => undefined },
    reset: {
      ours: reset(),
      real: (response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': charge.length })
        response.write(charge.slice(0, charge.length / 2))
        setTimeout(() => response.socket?.resetAndDestroy(), 30)
      },
    },
    rateLimited: {
      ours: rateLimited(2),
      real: (response) => {
        response.setHeader('retry-after', '2')
        json(response, 429, '{"error":{"message":"Too many requests"}}')
      },
    },
    failsOnce: {
      ours: failsOnce(503),
      real: (response) => json(response, 503, '{"error":{"message":"Failed once"}}'),
    },
    redirect: {
      ours: redirect('https://elsewhere.stripe.test/'),
      real: (response) => response.writeHead(307, { location: 'https://elsewhere.stripe.test/' }).end(),
    },
    truncated: {
      ours: truncated(),
      real: (response) => json(response, 200, charge.slice(0, charge.length / 2)),
    },
  }

let vivarium: Vivarium
let port: number
let real: (response: ServerResponse) => void
const server = createServer((_, response) => real(response))

beforeAll(async () => {
  vivarium = await openVivarium()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})

afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await vivarium.close()
})

describe.each(Object.entries(clients))('%s', (_, client) => {
  test.each(Object.entries(behaviours))('%s looks as on a plain server', async (name, { ours, real: behaviour }) => {
    real = behaviour
    const timeoutMs = name === 'timeOut' ? 300 : undefined
    const expected = await outcomeOf(client, `http://127.0.0.1:${port}`, timeoutMs)

    await using sandbox = await vivarium.openSandbox()
    service.stub('GET /v1/charges/:id').replies({ text: charge, headers: { 'content-type': 'application/json' } })
    if (ours !== undefined) service.becomes(ours)
    expect(await outcomeOf(client, 'https://api.stripe.test', timeoutMs)).toEqual(expected)
    expect(sandbox.requests).toHaveLength(1)
  })

  test('down looks as a port at which nobody listens, until the service recovers', async () => {
    const unused = createServer()
    await new Promise<void>((resolve) => unused.listen(0, '127.0.0.1', resolve))
    const { port: closed } = unused.address() as AddressInfo
    await new Promise((resolve) => unused.close(resolve))
    const expected = await outcomeOf(client, `http://127.0.0.1:${closed}`)

    await using sandbox = await vivarium.openSandbox()
    service.stub('GET /v1/charges/:id').replies({ json: { id: 'ch_1' } })
    service.becomes(down())
    expect(await outcomeOf(client, 'https://api.stripe.test')).toEqual(expected)
    service.recovers()
    expect(await outcomeOf(client, 'https://api.stripe.test')).toMatchObject({ status: 200 })
    expect(sandbox.requests.map(({ status, error }) => status ?? error)).toEqual(['the connection was refused', 200])
  })

  test('a service that fails once is well from then on, in the next sandbox as well', async () => {
    for (let round = 0; round < 2; round++) {
      await using sandbox = await vivarium.openSandbox()
      service.stub('GET /v1/charges/:id').replies({ json: { id: 'ch_1' } })
      service.becomes(behaviours.failsOnce!.ours!)
      await outcomeOf(client, 'https://api.stripe.test')
      await outcomeOf(client, 'https://api.stripe.test')
      expect(sandbox.requests.map(({ status }) => status)).toEqual([503, 200])
    }
  })
})

function json(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  response.end(body)
}
