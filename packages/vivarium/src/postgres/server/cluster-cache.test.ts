import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findCacheFolder, keptImages, openClusterCache } from './cluster-cache.ts'
import type { ClusterCache } from './cluster-cache.ts'

let folder: string
let data: string
let cache: ClusterCache
const binaries = { id: '18.0.0-linux-x64', major: 18, initdb: '', postgres: '' }

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'viv-cache-'))
  data = join(folder, 'data')
  mkdirSync(data)
  writeFileSync(join(data, 'PG_VERSION'), '18\n')
  cache = openClusterCache(join(folder, 'cache'), binaries)
})
afterEach(() => rmSync(folder, { recursive: true }))

/** The archive's last use, as if it had been `minutes` ago. */
function age(name: string, minutes: number): void {
  const time = new Date(Date.now() - minutes * 60_000)
  utimesSync(join(cache.folder, name), time, time)
}

test('what was stored is there, what was not is not', async () => {
  expect(cache.open('base')).toBeUndefined()
  expect(await cache.store('base', data)).toBe(true)
  cache.open('base')!.close()
  expect(cache.open({ image: 'base' })).toBeUndefined()
  expect(readdirSync(cache.folder)).toEqual(['base.cluster'])
})

test('a key that is no file name works all the same', async () => {
  const image = `../../${'x'.repeat(300)}`
  expect(await cache.store({ image }, data)).toBe(true)
  cache.open({ image })!.close()
  expect(existsSync(cache.folder)).toBe(true)
})

test('the images used last are kept, and the fresh cluster always', async () => {
  await cache.store('base', data)
  age('base.cluster', 1000)
  for (let index = 0; index < keptImages; index++) {
    await cache.store({ image: `i${index}` }, data)
    age(`image-i${index}.cluster`, 100 - index)
  }
  // The oldest is used again: the second oldest is now the one to go.
  cache.open({ image: 'i0' })!.close()
  await cache.store({ image: 'new' }, data)
  const left = readdirSync(cache.folder).toSorted()
  expect(left).toHaveLength(keptImages + 1)
  expect(left).toContain('base.cluster')
  expect(left).toContain('image-i0.cluster')
  expect(left).not.toContain('image-i1.cluster')
})

test('a cluster of another version is deleted instead of opened', async () => {
  writeFileSync(join(data, 'PG_VERSION'), '17\n')
  await cache.store('base', data)
  expect(cache.open('base')).toBeUndefined()
  expect(existsSync(join(cache.folder, 'base.cluster'))).toBe(false)
})

test('a cache that cannot be made stores nothing and says so', async () => {
  writeFileSync(join(folder, 'file'), '')
  const unusable = openClusterCache(join(folder, 'file'), binaries)
  expect(await unusable.store('base', data)).toBe(false)
  expect(unusable.open('base')).toBeUndefined()
})

test('half-written files of dead processes are cleared away after an hour, younger ones stay', async () => {
  await cache.store('base', data)
  for (const name of ['old.tmp', 'young.tmp']) writeFileSync(join(cache.folder, name), '')
  age('old.tmp', 61)
  await cache.store('base', data)
  expect(readdirSync(cache.folder).toSorted()).toEqual(['base.cluster', 'young.tmp'])
})

test('the cache folder is the option, VIVARIUM_CACHE_DIR, the XDG folder, or the home', () => {
  const environment = { VIVARIUM_CACHE_DIR: '/a/b', XDG_CACHE_HOME: folder }
  expect(findCacheFolder('/c/d', environment)).toBe('/c/d')
  expect(findCacheFolder(undefined, environment)).toBe('/a/b')
  if (process.platform === 'linux') {
    expect(findCacheFolder(undefined, { XDG_CACHE_HOME: folder })).toBe(join(folder, 'vivarium'))
    expect(statSync(join(folder, 'vivarium')).isDirectory()).toBe(true)
    const home = process.env['HOME']
    process.env['HOME'] = folder
    try {
      expect(findCacheFolder(undefined, {})).toBe(join(folder, '.cache/vivarium'))
    } finally {
      process.env['HOME'] = home
    }
  }
})

test('where the usual cache folder cannot be made, a folder of our own among the temporary files serves', () => {
  writeFileSync(join(folder, 'file'), '')
  const found = findCacheFolder(undefined, { XDG_CACHE_HOME: join(folder, 'file') })
  const usual = process.platform === 'linux' ? join(tmpdir(), `vivarium-cache-${process.geteuid?.()}`) : undefined
  if (usual !== undefined) expect(found).toBe(usual)
})
