import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startScratchServer } from '../../../test/support/template-servers.ts'
import type { ConnectionTarget } from '../connection/target.ts'
import type { PostgresServer } from '../server/postgres-server.ts'
import { openMaintenanceConnection, requireOwnBackend } from './maintenance-connection.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startScratchServer()
})
afterAll(() => server.close())

/** Like a pooler: the login's answer names a process of its own making. */
async function startPooler(change: (data: Buffer) => Buffer): Promise<AsyncDisposable & { target: ConnectionTarget }> {
  const sockets = new Set<Socket>()
  const pooler = createServer((client) => {
    const upstream = connect(server.maintenance.port, '127.0.0.1')
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => undefined))
    client.pipe(upstream)
    upstream.on('data', (data) => client.write(change(data)))
    upstream.on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => pooler.listen(0, '127.0.0.1', resolve))
  const { port } = pooler.address() as AddressInfo
  return {
    target: { ...server.maintenance, host: '127.0.0.1', port, socketFolder: undefined },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => pooler.close(resolve))
    },
  }
}

test('a connection whose backend is another one than the login named is refused', async () => {
  await using pooler = await startPooler((data) => {
    const key = data.indexOf(Buffer.from([0x4b, 0, 0, 0]))
    if (key !== -1) data.writeInt32BE(1, key + 5)
    return data
  })
  const client = await openMaintenanceConnection(pooler.target, 'test')
  const [row] = await client.query('SELECT pg_backend_pid() AS pid')
  expect(() => requireOwnBackend(client, pooler.target, row?.['pid'])).toThrow(
    expect.objectContaining({ code: 'SERVER_POOLED', seen: expect.stringContaining('backend 1,') as string }) as Error,
  )
  await client.closed
})

test('a plain relay is not taken for a pooler', async () => {
  await using relay = await startPooler((data) => data)
  await using client = await openMaintenanceConnection(relay.target, 'test')
  const [row] = await client.query("SELECT pg_backend_pid() AS pid, current_setting('application_name') AS name")
  requireOwnBackend(client, relay.target, row?.['pid'])
  expect(row?.['name']).toBe('vivarium test')
})
