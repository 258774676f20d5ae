import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPostgresClient } from '../../src/postgres/connection/client.ts'
import { formatPostgresUrl } from '../../src/postgres/connection/target.ts'
import type { ConnectionTarget } from '../../src/postgres/connection/target.ts'
import { startEmbeddedServer } from '../../src/postgres/server/embedded-server.ts'
import type { EmbeddedServer } from '../../src/postgres/server/embedded-server.ts'
import { connectExternalServer } from '../../src/postgres/server/external-server.ts'
import { findFreePort } from '../../src/machine/free-port.ts'
import { describeIfFound, externalPostgresUrl } from '../support/require.ts'
import { makeServerFolders } from './server-folders.ts'
import type { ServerFolders } from './server-folders.ts'

let folders: ServerFolders
let server: EmbeddedServer

beforeAll(async () => {
  folders = makeServerFolders()
  server = await startEmbeddedServer({ cacheFolder: folders.cacheFolder, places: folders.places })
  await using client = await openPostgresClient(server.maintenance)
  await client.query(`create role vivarium_test_creator login createdb password 'let-me-in';
    create role vivarium_test_nocreatedb login password 'let-me-in'`)
})
afterAll(async () => {
  await server?.close()
  folders[Symbol.dispose]()
})

const urlAs = (changes: Partial<ConnectionTarget>): string =>
  formatPostgresUrl({ ...server.maintenance, socketFolder: undefined, ...changes })

test('a server that a role with CREATEDB reaches is used as that role, on the database of the URL', async () => {
  const url = urlAs({ user: 'vivarium_test_creator', password: 'let-me-in' })
  const external = await connectExternalServer(url)
  expect(external).toMatchObject({ kind: 'external', superuser: false, versionNumber: server.versionNumber })
  expect(external.maintenance).toMatchObject({ user: 'vivarium_test_creator', database: 'postgres' })
  expect(external.application('vivarium_x')).toEqual({ ...external.maintenance, database: 'vivarium_x' })
  expect(external.applicationUrl('vivarium_x')).toBe(url.replace(/\/postgres$/, '/vivarium_x'))
  await external.saveImage('nothing')
  await external.close()
  await external.close()
})

test('a superuser is let in, and said to be one', async () => {
  expect(await connectExternalServer(urlAs({}))).toMatchObject({ superuser: true })
})

test('no connection and no database of ours stays on it', async () => {
  await connectExternalServer(urlAs({ user: 'vivarium_test_creator', password: 'let-me-in' }))
  await using client = await openPostgresClient(server.maintenance)
  const end = Date.now() + 10_000
  const left = "select 1 from pg_stat_activity where usename = 'vivarium_test_creator'"
  while ((await client.query(left)).length > 0) expect(Date.now()).toBeLessThan(end)
  expect(await client.query("select 1 from pg_database where datname like 'vivarium%'")).toEqual([])
})

test('a role without CREATEDB is refused, with the statement that grants it', async () => {
  const refused = connectExternalServer(urlAs({ user: 'vivarium_test_nocreatedb', password: 'let-me-in' }))
  await expect(refused).rejects.toMatchObject({ code: 'SERVER_CREATEDB_MISSING' })
  await expect(refused).rejects.toThrow('ALTER ROLE "vivarium_test_nocreatedb" CREATEDB')
})

test.each([
  ['a wrong password', { user: 'vivarium_test_creator', password: 'wr0ng-secret' }],
  ['no password', { user: 'vivarium_test_creator', password: undefined }],
  ['an unknown role', { user: 'nobody_of_that_name', password: 'wr0ng-secret' }],
  ['an unknown database', { database: 'no_such_database' }],
])(
  '%s is a refused login that names the place and never the password',
  async (_title, changes: Partial<ConnectionTarget>) => {
    const error = (await connectExternalServer(urlAs(changes)).catch((cause: unknown) => cause)) as Error
    expect(error).toMatchObject({ code: 'SERVER_LOGIN_REFUSED' })
    expect(error.message).toContain(`127.0.0.1:${server.maintenance.port}`)
    expect(error.message).not.toContain('wr0ng-secret')
    expect(error.message).not.toContain(server.maintenance.password)
  },
)

test('a server that nobody runs is named by host, port and reason, not by password', async () => {
  const port = await findFreePort()
  const error = (await connectExternalServer(`postgres://u:wr0ng-secret@127.0.0.1:${port}/db`).catch(
    (cause: unknown) => cause,
  )) as Error
  expect(error).toMatchObject({ code: 'SERVER_UNREACHABLE' })
  expect(error.message).toContain(`127.0.0.1:${port}`)
  expect(error.message).toContain('ECONNREFUSED')
  expect(error.message).not.toContain('wr0ng-secret')
})

test('a server that takes the connection and never answers is given up', async () => {
  await using silent = await listen(() => {})
  const url = `postgres://u@127.0.0.1:${silent.port}/db`
  await expect(connectExternalServer(url, { deadlineMs: 100 })).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' })
})

test('a server older than 14 is refused by its version', async () => {
  await using old = await listen((socket) => {
    socket.once('data', () => {
      socket.write(
        Buffer.concat([
          frame('R', Buffer.from([0, 0, 0, 0])),
          frame('S', Buffer.from('server_version\x0013.18\x00')),
          frame('K', Buffer.from([0, 0, 0, 7, 0, 0, 0, 8])),
          frame('Z', Buffer.from('I')),
        ]),
      )
    })
  })
  const refused = connectExternalServer(`postgres://u@127.0.0.1:${old.port}/db`)
  await expect(refused).rejects.toMatchObject({ code: 'SERVER_TOO_OLD' })
  await expect(refused).rejects.toThrow('server_version 13.18')
})

test('a pooler, which answers the login with a process number of its own, is refused', async () => {
  await using pooler = await listen((client) => {
    const upstream = connect(server.maintenance.port, '127.0.0.1')
    client.pipe(upstream)
    upstream.on('data', (chunk: Buffer) => {
      const key = chunk.indexOf(Buffer.from([0x4b, 0, 0, 0, 12]))
      if (key >= 0) chunk.writeInt32BE(4711, key + 5)
      client.write(chunk)
    })
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy())
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  const refused = connectExternalServer(urlAs({ port: pooler.port }))
  await expect(refused).rejects.toMatchObject({ code: 'SERVER_POOLED' })
  await expect(refused).rejects.toThrow('4711')
})

test('what is no Postgres URL is refused before anything is connected to', async () => {
  await expect(connectExternalServer('mysql://u:wr0ng-secret@h/db')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

describeIfFound('external-postgres', await externalPostgresUrl(), 'the PostgreSQL of this machine', (url) => {
  test('is used as it is', async () => {
    const external = await connectExternalServer(url)
    expect(external.versionNumber).toBeGreaterThanOrEqual(140_000)
    await using client = await openPostgresClient(external.application(external.maintenance.database))
    expect(await client.query('show server_version_num')).toEqual([
      { server_version_num: String(external.versionNumber) },
    ])
  })
})

function frame(type: string, body: Buffer): Buffer {
  const header = Buffer.alloc(5)
  header.write(type, 0, 'latin1')
  header.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([header, body])
}

async function listen(serve: (socket: Socket) => void): Promise<AsyncDisposable & { port: number }> {
  const sockets = new Set<Socket>()
  const listener = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    serve(socket)
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  return {
    port: (listener.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}
