import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { openPostgresClient } from '../../src/postgres/connection/client.ts'
import { startEmbeddedServer } from '../../src/postgres/server/embedded-server.ts'
import { identifySelf } from '../../src/machine/process-identity.ts'
import { sweepDeadRuns } from '../../src/postgres/server/sweep.ts'
import { findProcesses, isGone, makeServerFolders, waitFor } from './server-folders.ts'
import type { ServerFolders } from './server-folders.ts'
import { endChildren, startChild } from './started-child.ts'

let folders: ServerFolders

beforeAll(async () => {
  folders = makeServerFolders()
  // Fills the cache, so that the children start quickly.
  await (await startEmbeddedServer(folders)).close()
})
afterEach(endChildren)
afterAll(() => folders[Symbol.dispose]())

const optionsOf = ({ cacheFolder, places }: ServerFolders) => ({ cacheFolder, places })
const postmasterOf = (runFolder: string) => findProcesses(join(runFolder, 'data'))

test('kill -9 of its process, and of all in its process group, ends the server and removes its folder', async () => {
  const { child, report, exited } = startChild(optionsOf(folders))
  const { runFolder } = await report
  expect(postmasterOf(runFolder)).toHaveLength(1)
  process.kill(-child.pid!, 'SIGKILL')
  await exited
  await waitFor('server and folder are gone', () => isGone(runFolder))
})

test('Ctrl-C ends the process as it always did, and the server after it', async () => {
  const { child, report, exited } = startChild(optionsOf(folders))
  const { runFolder } = await report
  process.kill(-child.pid!, 'SIGINT')
  expect(await exited).toEqual({ code: null, signal: 'SIGINT' })
  await waitFor('server and folder are gone', () => isGone(runFolder))
})

test('a process that survives Ctrl-C keeps its server, watchdog included', async () => {
  const { child, report, exited, interrupted } = startChild(optionsOf(folders), { args: ['0'] })
  const { runFolder, url } = await report
  process.kill(-child.pid!, 'SIGINT')
  await interrupted
  // A server that had got the signal too would be shutting down, and refuse.
  const client = await openPostgresClient(url)
  expect(await client.query('select 1 as one')).toEqual([{ one: '1' }])
  await client.close()
  child.kill('SIGKILL')
  await exited
  await waitFor('server and folder are gone', () => isGone(runFolder))
})

test("the process keeps its own signal handlers and exit code, and gets none of the server's", async () => {
  const { child, report, exited } = startChild(optionsOf(folders), { args: ['7'] })
  const { runFolder, listeners } = await report
  expect(listeners.after).toEqual(listeners.before)
  child.kill('SIGTERM')
  expect(await exited).toEqual({ code: 7, signal: null })
  await waitFor('server and folder are gone', () => isGone(runFolder))
})

test('the next start ends what was left when the watchdog was killed together with its process', async () => {
  const { child, report, exited } = startChild(optionsOf(folders))
  const { runFolder } = await report
  for (const { pid } of findProcesses(runFolder).filter((found) => found.command.includes('vivarium-watchdog'))) {
    process.kill(pid, 'SIGKILL')
  }
  child.kill('SIGKILL')
  await exited
  expect(postmasterOf(runFolder)).toHaveLength(1)
  const next = await startEmbeddedServer(optionsOf(folders))
  expect(isGone(runFolder)).toBe(true)
  await next.close()
})

test('a start leaves alone the run of a process that is alive', async () => {
  const { child, report, exited } = startChild(optionsOf(folders))
  const { url, runFolder } = await report
  await (await startEmbeddedServer(optionsOf(folders))).close()
  const client = await openPostgresClient(url)
  expect(await client.query('select 1 as one')).toEqual([{ one: '1' }])
  await client.close()
  child.kill('SIGKILL')
  await exited
  await waitFor('server and folder are gone', () => isGone(runFolder))
})

test('a sweep never ends a process that is not the server of the dead run', async () => {
  const runs = folders.places[0]!.folder
  const folder = join(runs, 'vivarium-run-fake')
  mkdirSync(join(folder, 'data'), { recursive: true })
  const bystander = spawn('sleep', ['60'], { stdio: 'ignore' })
  try {
    writeFileSync(join(folder, 'owner.json'), JSON.stringify({ ...identifySelf(), started: 'before' }))
    writeFileSync(join(folder, 'data/postmaster.pid'), `${bystander.pid}\n`)
    expect(await sweepDeadRuns(folders.places, undefined)).toEqual([folder])
    expect(existsSync(folder)).toBe(false)
    expect(bystander.kill(0)).toBe(true)
  } finally {
    bystander.kill('SIGKILL')
  }
})

test('a sweep leaves a run folder of another process namespace, and one that is just being made', async () => {
  const runs = folders.places[0]!.folder
  const [boot] = identifySelf().realm.split(' ')
  for (const [name, note] of [
    ['vivarium-run-other', JSON.stringify({ pid: 1, started: 'x', realm: `${boot} pid:[1]` })],
    ['vivarium-run-new', undefined],
  ] as const) {
    mkdirSync(join(runs, name))
    if (note !== undefined) writeFileSync(join(runs, name, 'owner.json'), note)
  }
  expect(await sweepDeadRuns(folders.places, undefined)).toEqual([])
  expect(readdirSync(runs).toSorted()).toEqual(['vivarium-run-new', 'vivarium-run-other'])
})

test('kill -9 at any moment of a start leaves nothing', async () => {
  using own = makeServerFolders()
  await (await startEmbeddedServer({ ...optionsOf(own), cacheFolder: folders.cacheFolder })).close()
  const runs = own.places[0]!.folder
  for (let round = 0; round < 6; round++) {
    const { child, exited } = startChild({ ...optionsOf(own), cacheFolder: folders.cacheFolder })
    const before = new Set(readdirSync(runs))
    await waitFor('a run folder appears', () =>
      readdirSync(runs).some((folder) => !before.has(folder) && existsSync(join(runs, folder, 'owner.json'))),
    )
    await new Promise((resolve) => setTimeout(resolve, round * 15))
    child.kill('SIGKILL')
    await exited
    await waitFor('processes are gone', () => findProcesses(runs).length === 0)
  }
  // Killed before its watchdog ran, a start leaves an empty folder; the next start takes it away.
  await (await startEmbeddedServer({ ...optionsOf(own), cacheFolder: folders.cacheFolder })).close()
  await waitFor('folders are gone', () => readdirSync(runs).length === 0)
})
