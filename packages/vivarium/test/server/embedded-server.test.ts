import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { openPostgresClient } from '../../src/postgres/connection/client.ts'
import type { ConnectionTarget } from '../../src/postgres/connection/target.ts'
import { packCluster } from '../../src/postgres/server/cluster-archive.ts'
import { startEmbeddedServer } from '../../src/postgres/server/embedded-server.ts'
import type { EmbeddedServer, StartEmbeddedServerOptions } from '../../src/postgres/server/embedded-server.ts'
import { isGone, makeServerFolders, waitFor } from './server-folders.ts'
import type { ServerFolders } from './server-folders.ts'
import { endChildren, startChild } from './started-child.ts'

let folders: ServerFolders
const open: EmbeddedServer[] = []

beforeAll(() => {
  folders = makeServerFolders()
})
afterEach(async () => {
  endChildren()
  for (const server of open.splice(0)) await server.close()
})
afterAll(() => folders[Symbol.dispose]())

async function start(options: StartEmbeddedServerOptions = {}): Promise<EmbeddedServer> {
  const server = await startEmbeddedServer({ cacheFolder: folders.cacheFolder, places: folders.places, ...options })
  open.push(server)
  return server
}

async function ask(target: ConnectionTarget | string, text: string): Promise<Record<string, string | null>[]> {
  await using client = await openPostgresClient(target)
  return client.query(text)
}

const systemIdentifier = async (server: EmbeddedServer): Promise<string> =>
  String((await ask(server.maintenance, 'select system_identifier as id from pg_control_system()'))[0]?.['id'])

const basePath = (): string => {
  const clusters = join(folders.cacheFolder, 'clusters')
  return join(clusters, readdirSync(clusters)[0]!, 'base.cluster')
}

test('a first start answers as the ordinary role, over the socket and over TCP with the password of the run', async () => {
  const server = await start()
  expect(server.kind).toBe('embedded')
  expect(Math.floor(server.versionNumber / 10_000)).toBe(18)
  const role = `select current_user as role, rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname = current_user`
  const ordinary = { role: 'vivarium', rolsuper: 'f', rolcreatedb: 'f', rolcreaterole: 't' }
  expect(await ask(server.application('postgres'), role)).toEqual([ordinary])
  expect(await ask(server.applicationUrl('postgres'), role)).toEqual([ordinary])
  expect(await ask(server.maintenance, role)).toMatchObject([{ role: 'postgres', rolsuper: 't' }])
  const client = new Client({ connectionString: server.applicationUrl('postgres') })
  await client.connect()
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await client.end()
})

test('TCP is closed to a wrong password and to none', async () => {
  const server = await start()
  const { socketFolder: _, ...tcp } = server.application('postgres')
  await expect(ask({ ...tcp, password: 'wrong' }, 'select 1')).rejects.toMatchObject({ code: '28P01' })
  await expect(ask({ ...tcp, password: undefined }, 'select 1')).rejects.toThrow('asks for a password')
})

test('a second start copies the cached cluster instead of making one', async () => {
  const first = await start()
  const id = await systemIdentifier(first)
  const cached = statSync(basePath()).ino
  await first.close()
  const second = await start()
  expect(await systemIdentifier(second)).toBe(id)
  expect(statSync(basePath()).ino).toBe(cached)
})

test('locale, encoding, time zone, port and libraries are ours, whatever the environment says', async () => {
  using own = makeServerFolders()
  // The loader would prefer this library to the packaged one, and fail on it.
  writeFileSync(join(own.root, 'libicuuc.so.60'), '')
  const odd = { LC_ALL: 'de_DE.ISO-8859-1', LANG: 'xx', PGPORT: '1', PGDATA: '/nowhere', TZ: 'Asia/Tokyo' }
  const { report, child, exited } = startChild(
    { cacheFolder: own.cacheFolder, places: own.places },
    { env: { ...process.env, ...odd, LD_LIBRARY_PATH: own.root } },
  )
  const { url } = await report
  const [row] = await ask(
    url,
    `select pg_encoding_to_char(encoding) as encoding, datlocprovider as provider, datlocale as locale,
            current_setting('TimeZone') as zone, upper('straße é') as upper, now()::text like '%+00' as utc
       from pg_database where datname = 'template1'`,
  )
  expect(row).toEqual({
    encoding: 'UTF8',
    provider: 'b',
    locale: 'C.UTF-8',
    zone: 'UTC',
    upper: 'STRAßE É',
    utc: 't',
  })
  child.kill('SIGKILL')
  await exited
  await waitFor('the run is gone', () => readdirSync(own.places[0]!.folder).length === 0)
})

test('durability and background work are off, and a role that creates roles is granted them', async () => {
  const server = await start()
  const rows = await ask(
    server.maintenance,
    `select name, setting from pg_settings where name in
      ('fsync', 'synchronous_commit', 'full_page_writes', 'autovacuum', 'createrole_self_grant', 'max_connections', 'jit')
      order by name`,
  )
  expect(Object.fromEntries(rows.map((row) => [row['name'], row['setting']]))).toEqual({
    autovacuum: 'off',
    createrole_self_grant: 'set, inherit',
    fsync: 'off',
    full_page_writes: 'off',
    jit: 'off',
    max_connections: '500',
    synchronous_commit: 'off',
  })
})

test('a saved image holds what was there, the server goes on, and the next start begins from it', async () => {
  const first = await start({ image: 'shop' })
  expect(first.startedFromImage).toBe(false)
  await ask(first.maintenance, 'create database vivarium_template_x owner vivarium')
  await ask(first.application('vivarium_template_x'), 'create table orders (id int); insert into orders values (42)')
  await first.saveImage('shop')
  expect(await ask(first.application('vivarium_template_x'), 'select id from orders')).toEqual([{ id: '42' }])
  // The server removes a database's cache of the catalogue as it starts; the connection above has left one again.
  await first.saveImage('shop')
  await first.close()

  const second = await start({ image: 'shop' })
  expect(second.startedFromImage).toBe(true)
  const cache = `select (pg_stat_file('base/' || oid || '/pg_internal.init', true)).size > 0 as found
    from pg_database where datname = 'vivarium_template_x'`
  expect(await ask(second.maintenance, cache)).toEqual([{ found: 't' }])
  expect(await ask(second.applicationUrl('vivarium_template_x'), 'select id from orders')).toEqual([{ id: '42' }])
  const other = await start({ image: 'another' })
  expect(other.startedFromImage).toBe(false)
  expect(await ask(other.maintenance, "select 1 from pg_database where datname like 'vivarium%'")).toEqual([])
})

test('a save leaves the server usable when the cache cannot be written', async () => {
  using own = makeServerFolders()
  const server = await start({ cacheFolder: own.cacheFolder })
  const clusters = join(own.cacheFolder, 'clusters')
  // A file where the folder was: nobody, not even root, can write there.
  renameSync(clusters, `${clusters}-moved`)
  writeFileSync(clusters, '')
  await server.saveImage('nowhere')
  expect(await ask(server.maintenance, 'select 1 as one')).toEqual([{ one: '1' }])
})

test('two starts at once on an empty cache both work', async () => {
  using own = makeServerFolders()
  const [one, two] = await Promise.all([
    start({ cacheFolder: own.cacheFolder }),
    start({ cacheFolder: own.cacheFolder }),
  ])
  expect(one.maintenance.port).not.toBe(two.maintenance.port)
  for (const server of [one, two]) expect(await ask(server.maintenance, 'select 1 as one')).toEqual([{ one: '1' }])
})

test.each([
  ['was cut short', async (file: string) => truncateSync(file, 1_000_000)],
  ['is empty', async (file: string) => writeFileSync(file, '')],
  ['holds a data folder of another version', (file: string) => packFolder(file, '15\n')],
  ['holds a data folder that no server starts on', (file: string) => packFolder(file, '18\n')],
])('a cached cluster that %s is made anew', async (_title, damage) => {
  using own = makeServerFolders()
  const first = await start({ cacheFolder: own.cacheFolder })
  const id = await systemIdentifier(first)
  await first.close()
  const clusters = join(own.cacheFolder, 'clusters')
  await damage(join(clusters, readdirSync(clusters)[0]!, 'base.cluster'))
  const second = await start({ cacheFolder: own.cacheFolder })
  const rebuilt = await systemIdentifier(second)
  expect(rebuilt).not.toBe(id)
  await second.close()
  expect(await systemIdentifier(await start({ cacheFolder: own.cacheFolder }))).toBe(rebuilt)
})

async function packFolder(file: string, version: string): Promise<void> {
  const folder = `${file}.folder`
  mkdirSync(folder)
  writeFileSync(join(folder, 'PG_VERSION'), version)
  rmSync(file)
  await packCluster(folder, file)
}

test('without a place of choice it runs from memory or the temporary folder, and leaves nothing', async () => {
  const server = await start({ places: undefined })
  expect(existsSync(server.runFolder)).toBe(true)
  await server.close()
  expect(isGone(server.runFolder)).toBe(true)
})

test('closing twice is closing once, and a closed server refuses to save', async () => {
  const server = await start()
  await Promise.all([server.close(), server.close()])
  await server.close()
  expect(isGone(server.runFolder)).toBe(true)
  await expect(server.saveImage('late')).rejects.toMatchObject({ code: 'VIVARIUM_CLOSED' })
})

test('a server that dies says so, with the signal and its log', async () => {
  const server = await start()
  const pid = Number.parseInt(readFileSync(join(server.runFolder, 'data/postmaster.pid'), 'utf8'), 10)
  process.kill(pid, 'SIGKILL')
  const error = await server.lost
  expect(error).toMatchObject({ code: 'SERVER_DIED' })
  expect(error.message).toContain('SIGKILL')
  expect(error.message).toContain('database system is ready to accept connections')
  await server.close()
  await waitFor('its backends are gone', () => isGone(server.runFolder))
})

if (process.getuid?.() === 0) {
  test("root's server runs as another user, and its data is closed to everybody else", async () => {
    const server = await start()
    const pid = Number.parseInt(readFileSync(join(server.runFolder, 'data/postmaster.pid'), 'utf8'), 10)
    const { uid, mode } = statSync(server.runFolder)
    expect(statSync(`/proc/${pid}`).uid).toBe(uid)
    expect(uid).not.toBe(0)
    expect(mode & 0o777).toBe(0o700)
  })

  test('an ordinary user starts a server of their own, from a cache of their own', async () => {
    using own = makeServerFolders()
    const home = join(own.root, 'home')
    mkdirSync(home)
    chownSync(home, 65_534, 65_534)
    const env = { PATH: process.env['PATH'], HOME: home, TMPDIR: home }
    const { report, child, exited } = startChild({ places: own.places }, { uid: 65_534, env })
    const { url, runFolder } = await report
    expect(statSync(runFolder).uid).toBe(65_534)
    expect(await ask(url, 'select current_user as role')).toEqual([{ role: 'vivarium' }])
    expect(existsSync(join(home, '.cache/vivarium/clusters'))).toBe(true)
    child.kill('SIGKILL')
    await exited
    await waitFor('the run is gone', () => isGone(runFolder))
  })
}

test('it starts where no program named postgres is on the PATH', async () => {
  const fixture = fileURLToPath(new URL('.', import.meta.url))
  const { report, child, exited } = startChild(
    { cacheFolder: folders.cacheFolder, places: folders.places },
    { env: { PATH: fixture, HOME: folders.root } },
  )
  const { url, runFolder } = await report
  expect(await ask(url, 'select 1 as one')).toEqual([{ one: '1' }])
  child.kill('SIGKILL')
  await exited
  await waitFor('the run is gone', () => isGone(runFolder))
})
