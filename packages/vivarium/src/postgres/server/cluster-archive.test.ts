import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DamagedArchiveError, openClusterArchive, packCluster } from './cluster-archive.ts'

let folder: string
let data: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viv-archive-'))
  data = join(folder, 'data')
  file = join(folder, 'x.cluster')
  for (const path of ['base/1', 'global', 'pg_wal', 'pg_stat']) mkdirSync(join(data, path), { recursive: true })
  write('PG_VERSION', '18\n')
  write('base/1/100', Buffer.concat([Buffer.alloc(8192, 7), Buffer.alloc(24_576)]))
  write('base/1/101', '')
  write('global/pg_control', Buffer.alloc(3_000_000, 'random'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (path: string, content: string | Buffer): void => writeFileSync(join(data, path), content)

async function roundTrip(
  onEssentials?: (unpacked: string) => void,
  beforeCaches?: (unpacked: string) => void,
): Promise<string> {
  await packCluster(data, file)
  const archive = openClusterArchive(file)!
  const unpacked = join(folder, 'unpacked')
  await archive.unpack(unpacked, undefined, {
    onEssentials: () => onEssentials?.(unpacked),
    beforeCaches: async () => beforeCaches?.(unpacked),
  })
  archive.close()
  return unpacked
}

test('what is unpacked is what was packed, empty folders and trailing zeros included', async () => {
  const unpacked = await roundTrip()
  const paths = readdirSync(data, { recursive: true }).map(String).toSorted()
  expect(readdirSync(unpacked, { recursive: true }).map(String).toSorted()).toEqual(paths)
  for (const path of paths.filter((path) => statSync(join(data, path)).isFile())) {
    expect(readFileSync(join(unpacked, path)).equals(readFileSync(join(data, path))), path).toBe(true)
  }
  expect(statSync(unpacked).mode & 0o777).toBe(0o700)
  expect(statSync(join(unpacked, 'PG_VERSION')).mode & 0o777).toBe(0o600)
})

test('zeros at the end of a file take no room', async () => {
  await packCluster(data, file)
  expect(statSync(file).size).toBeLessThan(3_000_000 + 8192 + 4096)
})

test('everything but the databases is there when the essentials are announced, once', async () => {
  const seen: string[][] = []
  await roundTrip((unpacked) => {
    const files = readdirSync(unpacked, { recursive: true }).map(String)
    seen.push(files.filter((path) => statSync(join(unpacked, path)).isFile()).toSorted())
  })
  expect(seen).toEqual([['PG_VERSION', 'global/pg_control']])
})

test('the caches of the catalogue come last, when a starting server has removed what it found', async () => {
  mkdirSync(join(data, 'base/2'))
  write('base/2/100', 'a database behind the first one')
  for (const path of ['global/pg_internal.init', 'base/1/pg_internal.init']) write(path, 'cache')
  const seen: string[][] = []
  const files = (unpacked: string): string[] =>
    readdirSync(unpacked, { recursive: true })
      .map(String)
      .filter((path) => statSync(join(unpacked, path)).isFile())
  const unpacked = await roundTrip(undefined, (place) => seen.push(files(place).toSorted()))
  expect(seen).toEqual([['PG_VERSION', 'base/1/100', 'base/1/101', 'base/2/100', 'global/pg_control']])
  expect(files(unpacked)).toHaveLength(7)
})

test('a lock file and spare WAL segments are left out; the two oldest segments are kept', async () => {
  write('postmaster.pid', '1')
  const segments = ['A', '8', 'B', '9'].map((digit) => `00000001000000000000000${digit}`)
  for (const segment of segments) write(`pg_wal/${segment}`, 'x')
  const unpacked = await roundTrip()
  expect(readdirSync(join(unpacked, 'pg_wal')).toSorted()).toEqual([segments[1], segments[3]])
  expect(readdirSync(unpacked)).not.toContain('postmaster.pid')
})

test('it knows its version and how much room it takes', async () => {
  await packCluster(data, file)
  const archive = openClusterArchive(file)!
  expect(archive.major).toBe(18)
  expect(archive.size).toBe(4096 + 32_768 + Math.ceil(3_000_000 / 4096) * 4096)
  archive.close()
})

test('no archive is none', () => {
  expect(openClusterArchive(join(folder, 'missing'))).toBeUndefined()
})

test.each([
  ['without its end', () => truncateSync(file, statSync(file).size - 1)],
  ['almost empty', () => truncateSync(file, 3)],
  ['of zeros', () => writeFileSync(file, Buffer.alloc(100_000))],
  [
    'without its middle',
    () => {
      const content = readFileSync(file)
      writeFileSync(file, Buffer.concat([content.subarray(0, 1000), content.subarray(5000)]))
    },
  ],
])('an archive %s is refused as damaged', async (_title, damage) => {
  await packCluster(data, file)
  damage()
  expect(() => openClusterArchive(file)).toThrow(DamagedArchiveError)
})

test('it can be unpacked after it was deleted, once it is open', async () => {
  await packCluster(data, file)
  const archive = openClusterArchive(file)!
  rmSync(file)
  await archive.unpack(join(folder, 'unpacked'), undefined)
  archive.close()
  expect(readFileSync(join(folder, 'unpacked/PG_VERSION'), 'utf8')).toBe('18\n')
})
