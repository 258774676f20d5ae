import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openVivarium, VivariumError } from '../../src/index.ts'
import { identifySelf, isRunning } from '../../src/machine/process-identity.ts'
import { findRedisBinary } from '../../src/redis/server/find-binary.ts'
import { startRedisServer } from '../../src/redis/server/own-server.ts'
import { createRedisFolder, sweepRedisFolders } from '../../src/redis/server/run-folder.ts'
import { describeIfFound, installedRedis } from '../support/require.ts'
import { connectWire } from '../support/resp-wire.ts'

function foldersNow(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('vivarium-redis-'))
}

async function errorOf(promise: Promise<unknown>): Promise<VivariumError> {
  const error: unknown = await promise.then(
    () => undefined,
    (rejection: unknown) => rejection,
  )
  if (error instanceof VivariumError) return error
  throw error
}

test('where no server is installed and none is named the error says what to do', async () => {
  expect(() => findRedisBinary('/nowhere', [])).toThrow(
    expect.objectContaining({ code: 'REDIS_NOT_FOUND', remedy: expect.stringContaining('VIVARIUM_REDIS_URL') }),
  )
})

test('a server that is named and does not answer is named in the error', async () => {
  const error = await errorOf(openVivarium({ redis: { url: 'redis://127.0.0.1:1' } }))
  expect(error).toMatchObject({ code: 'SERVER_UNREACHABLE', what: expect.stringContaining('127.0.0.1:1') })
})

test('a URL that is none is refused without showing a password', async () => {
  const error = await errorOf(openVivarium({ redis: { url: 'http://me:secret@host/0' } }))
  expect(error.code).toBe('CONFIG_INVALID')
  expect(error.message).not.toContain('secret')
})

describeIfFound('redis', installedRedis(), 'a Redis server of our own', () => {
  test('it asks for its password, has nothing on disk, and is gone when it is closed', async () => {
    const before = foldersNow()
    const server = await startRedisServer()
    const wire = await connectWire(server.url)
    expect(await wire.command('CONFIG', 'GET', 'save')).toEqual(['save', ''])
    expect(await wire.command('CONFIG', 'GET', 'appendonly')).toEqual(['appendonly', 'no'])
    const pid = Number(/process_id:(\d+)/.exec(String(await wire.command('INFO', 'server')))?.[1])
    const stranger = await connectWire(server.url.replace(/:[^:@]+@/, '@'))
    expect(await stranger.command('GET', 'a')).toEqual({ error: 'NOAUTH Authentication required.' })
    await server.close()
    await wire.closed
    stranger.end()
    expect(isRunning(pid)).toBe(false)
    expect(foldersNow()).toEqual(before)
  })

  test('a port that is taken meanwhile is passed over', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    const { port } = holder.address() as AddressInfo
    const free = createServer().listen(0, '127.0.0.1')
    await once(free, 'listening')
    const other = (free.address() as AddressInfo).port
    free.close()
    await once(free, 'close')
    const ports = [port, other]
    const server = await startRedisServer({ pickPort: () => Promise.resolve(ports.shift()!) })
    expect(server.target.port).toBe(other)
    await server.close()
    holder.close()
  })

  test('a program that is no Redis server is named with what it said', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'viv-not-redis-'))
    const binary = join(folder, 'redis-server')
    writeFileSync(binary, '#!/bin/sh\necho "this is no server"\nexit 3\n', { mode: 0o755 })
    const error = await errorOf(startRedisServer({ binary }))
    expect(error).toMatchObject({
      code: 'SERVER_START_FAILED',
      seen: expect.stringMatching(/exit code 3.*this is no server/s),
    })
    rmSync(folder, { recursive: true })
  })

  test('it ends with the process that started it, also when that is killed', async () => {
    const script = `
      import { startRedisServer } from ${JSON.stringify(new URL('../../src/redis/server/own-server.ts', import.meta.url).href)}
      const { url } = await startRedisServer()
      console.log(url)
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: new URL('../..', import.meta.url),
    })
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const wire = await connectWire(line.toString().trim())
    expect(await wire.command('PING')).toBe('PONG')
    const [, folder] = (await wire.command('CONFIG', 'GET', 'dir')) as [string, string]
    child.kill('SIGKILL')
    await once(child, 'exit')
    await wire.closed
    // The shell that ended it removes the folder next; the following start would, too.
    await expect.poll(() => existsSync(folder), { timeout: 5000 }).toBe(false)
  })

  test('one that died by itself is told as the reason', async () => {
    const server = await startRedisServer()
    const wire = await connectWire(server.url)
    wire.send('SHUTDOWN', 'NOSAVE')
    expect(await server.lost).toMatchObject({ code: 'SERVER_DIED' })
    await wire.closed
    await server.close()
  })

  test('what a dead run left is swept, and what a living one has is not', async () => {
    const parent = mkdtempSync(join(tmpdir(), 'viv-sweep-'))
    const living = createRedisFolder(parent)
    const dead = createRedisFolder(parent)
    writeFileSync(join(dead.path, 'owner.json'), JSON.stringify({ ...identifySelf(), started: 'at another time' }))
    const server = spawn('sleep', ['60'], { cwd: dead.path, stdio: 'ignore' })
    await once(server, 'spawn')
    writeFileSync(dead.pidFile, `${server.pid}\n`)
    sweepRedisFolders(parent)
    await once(server, 'exit')
    expect([existsSync(living.path), existsSync(dead.path)]).toEqual([true, false])
    rmSync(parent, { recursive: true })
  })
})
