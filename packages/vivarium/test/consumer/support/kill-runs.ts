import { expect } from 'vitest'
import { openPostgresClient } from '../../../src/postgres/connection/client.ts'
import { formatPostgresUrl } from '../../../src/postgres/connection/target.ts'
import { startEmbeddedServer } from '../../../src/postgres/server/embedded-server.ts'
import { app } from '../vitest/app.ts'
import { installPackage } from './installed-package.ts'
import { findLeftovers } from './leftovers.ts'
import { startNode } from './run-process.ts'
import { runVitest, vitestCli } from './run-vitest.ts'

/** A file of tests that write, and take their time over it. */
const slowFile = `
  import { beforeAll, expect, test } from 'vitest'
  import { addUser, names, pool } from './app'
  beforeAll(async () => void (await addUser('file')))
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('test %i', async () => {
    expect(await names()).toEqual(['file'])
    expect(await addUser('mine')).toBe(2)
    await pool.query('select pg_sleep(0.05)')
  })
`

/**
 * Kills `kills` runs at random moments, in turn the main process alone and its whole group, in turn on the embedded server and on
 * one given by URL. After each, the next run must pass, and then nothing of the dead one may be left.
 */
export async function killRuns(kills: number, seed: number): Promise<void> {
  await using installed = await installPackage()
  const { cacheFolder } = installed
  const files = { ...app, 'first.test.ts': slowFile, 'second.test.ts': slowFile }
  const folder = installed.writeProject('project', files)
  await using server = await startEmbeddedServer({ cacheFolder })
  const embedded = { VIVARIUM_CACHE_DIR: cacheFolder }
  const url = formatPostgresUrl({ ...server.maintenance, socketFolder: undefined })
  const arms = [embedded, { ...embedded, VIVARIUM_POSTGRES_URL: url }]
  const random = mulberry32(seed)
  let wholeMs = await timeOf(() => passes(folder, embedded, 'the first run'))

  for (let kill = 0; kill < kills; kill++) {
    const env = arms[kill % 2]!
    const afterMs = Math.round(random() * wholeMs)
    const whole = Math.floor(kill / 2) % 2 === 1
    const what = `kill ${kill + 1} (seed ${seed}): ${whole ? 'the group' : 'the main process'} after ${afterMs} ms`
    const victim = startNode([vitestCli, 'run'], { cwd: folder, env })
    // The one thing here that is about time: the moment is meant to be anywhere in a run.
    await new Promise((resolve) => setTimeout(resolve, afterMs))
    victim.kill('SIGKILL', whole ? 'group' : 'process')
    await victim.ended
    wholeMs = await timeOf(() => passes(folder, env, `the run after ${what}`))
    expect(findLeftovers(victim.pid), what).toEqual({ folders: [], processes: [] })
    expect(await databasesOf(url), what).toEqual([])
  }
}

async function passes(folder: string, env: Readonly<Record<string, string>>, what: string): Promise<void> {
  const { code, tests, output } = await runVitest(folder, { env })
  expect(code, `${what}\n${output}`).toBe(0)
  expect(tests, what).toHaveLength(16)
}

/** Databases of runs and of half-built templates; a finished template stays, as it should. */
async function databasesOf(url: string): Promise<(string | null | undefined)[]> {
  await using client = await openPostgresClient(url)
  const rows = await client.query(
    "select datname from pg_database where datname like 'vivarium\\_%' and datname not like 'vivarium\\_template\\_%' order by 1",
  )
  return rows.map(({ datname }) => datname)
}

async function timeOf(work: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** A small seeded generator of numbers from 0 to 1. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
