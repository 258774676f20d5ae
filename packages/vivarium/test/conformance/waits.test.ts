/** Each wait of the gateway and the leases ends, and says what it waited for. `docs/architecture.md` has the list. */
import { type AddressInfo, createServer, type Server, Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Sandbox } from '../../src/index.ts'
import { openBackendConnection, sendCancelRequest } from '../../src/postgres/connection/backend-connection.ts'
import { ConnectionBudget } from '../../src/postgres/connection/connection-budget.ts'
import type { ConnectionTarget } from '../../src/postgres/connection/target.ts'
import { openLeasePool } from '../../src/postgres/leases/lease-pool.ts'
import { closeError, useVivarium } from '../support/vivarium.ts'
import { connect, flush, parse, query, queryError, bind, execute, type WireConnection } from '../support/wire.ts'

/** An error's text with the numbers of this run taken out. */
function textOf(error: unknown): string {
  const { message } = error as Error
  return message.replaceAll(/ run [0-9a-f]{12}/g, ' run RUN').replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT')
}

async function rejection(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'it did not fail',
    (error: unknown) => textOf(error),
  )
}

describe('for another connection of the sandbox', () => {
  const vivarium = useVivarium({ waitMs: 150 })
  let sandbox: Sandbox
  let one: WireConnection
  let other: WireConnection

  beforeEach(async () => {
    sandbox = await vivarium.openSandbox({ title: 'waits' })
    one = await connect(vivarium.postgres.url)
    other = await connect(vivarium.postgres.url)
  })
  afterEach(async () => {
    one.socket.destroy()
    other.socket.destroy()
    await sandbox.close().catch(() => undefined)
  })

  /** The fields of an error, with the numbers of connections and milliseconds taken out. */
  async function told(connection: WireConnection, text: string): Promise<string[]> {
    const { C, M, D, H } = await queryError(connection, text)
    return [C, M, D, H].map((field) =>
      String(field)
        .replaceAll(/onnection \d+/g, 'onnection N')
        .replace(/for \d+ ms \(/, 'for … ms ('),
    )
  }

  test('that waits for it in turn', async () => {
    await one.query('begin read write')
    await one.query('insert into parents values (3)')
    await other.query('begin')
    await other.query('insert into parents values (4)')
    expect(await told(one, 'select 1')).toEqual([
      '55P03',
      'connection N waited 150 ms for connection N of the same sandbox, which did nothing meanwhile (CONNECTION_WAIT_TIMEOUT)',
      'Connection N wants to run "select 1" in the transaction that it began with "begin read write". Connection N has been ' +
        'inside a transaction for … ms ("begin"); its last statement was "insert into parents values (4)". In isolation ' +
        '"transaction" all connections of a sandbox share one session.',
      'Let connection N end what it has begun before connection N is awaited, or run both statements on one connection. ' +
        'Connections that wait for each other, or work at the same time, need isolation "database".',
    ])
  })

  test('that is in the middle of a statement which waits for its client', async () => {
    other.send(query('copy parents from stdin'))
    await other.until('G')
    expect(await told(one, 'select 1')).toEqual([
      '55P03',
      'connection N waited 150 ms for connection N of the same sandbox, which did nothing meanwhile (CONNECTION_WAIT_TIMEOUT)',
      'Connection N wants to run "select 1". Connection N is in the middle of "copy parents from stdin", which waits for its ' +
        'client. In isolation "transaction" all connections of a sandbox share one session.',
      'Let connection N end what it has begun before connection N is awaited, or run both statements on one connection. ' +
        'Connections that wait for each other, or work at the same time, need isolation "database".',
    ])
  })

  test('at close: what was open and what waited is reported', async () => {
    one.send(parse(`select 'half a unit'`), bind(), execute(), flush())
    await one.until('C')
    const error = await closeError(sandbox)
    expect(error?.errors.map((each: { what?: string; seen?: string }) => [each.what, each.seen])).toEqual([
      [
        expect.stringMatching(
          /^A statement was still running on connection \d+ when the sandbox "waits" closed; it was cancelled and its connection ended\.$/,
        ),
        `select 'half a unit'`,
      ],
    ])
  })
})

describe('for a server that does not answer', () => {
  let server: Server
  let sockets: Socket[]
  let target: ConnectionTarget

  beforeEach(async () => {
    sockets = []
    server = createServer((socket) => sockets.push(socket.on('error', () => undefined).resume()))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    target = { host: '127.0.0.1', port, user: 'u', password: 'p', database: 'd', parameters: {} }
  })
  afterEach(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })

  test('a login', async () => {
    expect(await rejection(openBackendConnection(target, { deadlineMs: 50 }))).toMatchInlineSnapshot(`
      "Could not connect to database "d" on 127.0.0.1:PORT as "u".
        Seen: no login within 50 ms
        What to do: Check that the server runs, and host, port and TLS settings of the URL.
        (SERVER_UNREACHABLE)"
    `)
  })

  test('a cancel request', async () => {
    const connection = { socket: new Socket(), parameters: new Map(), processId: 1, secretKey: Buffer.alloc(4), target }
    expect(await rejection(sendCancelRequest(connection, { deadlineMs: 50 }))).toMatchInlineSnapshot(`
      "Could not connect to database "d" on 127.0.0.1:PORT as "u".
        Seen: a cancel request was not taken
        What to do: Check that the server runs, and host, port and TLS settings of the URL.
        (SERVER_UNREACHABLE)"
    `)
  })
})

describe('for a free place', () => {
  const vivarium = useVivarium()

  test('a database', async () => {
    const run = vivarium.describe().postgres?.run
    if (run === undefined) throw new Error('no run')
    // The vivarium has it.
    await using pool = await openLeasePool({ ...run, maxClones: 1 })
    expect(await rejection(pool.acquire({ deadlineMs: 50 }))).toMatchInlineSnapshot(`
      "Waited 50 ms for a database of run RUN.
        Seen: this process holds 0 of at most 1, 0 of them unused
        What to do: Close sandboxes that are done, run fewer tests at once, or allow more databases. When few are held, the server is slow to copy the template.
        (LEASE_WAIT_TIMEOUT)"
    `)
  })

  test('a connection to the server', async () => {
    const budget = new ConnectionBudget(1)
    await budget.acquire({ title: 'the session of a sandbox' })
    const late = budget.acquire({ title: 'connection 7', deadlineMs: 50 })
    expect(await rejection(late)).toMatchInlineSnapshot(`
      "Waited 50 ms for a connection to the server, for connection 7: this process may have 1 at once.
        Seen: in use: the session of a sandbox
        What to do: Close connections and sandboxes that are done, give the pools of the application a smaller maximum, run fewer tests at once, or raise \`postgres.maxConnections\` (it is for the whole run, divided by its workers).
        (CONNECTION_LIMIT)"
    `)
  })
})
