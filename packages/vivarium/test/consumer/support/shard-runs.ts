import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Isolation } from '../../../src/core/options.ts'
import { openPostgresClient } from '../../../src/postgres/connection/client.ts'
import { app } from '../vitest/app.ts'
import { installPackage } from './installed-package.ts'
import { findLeftovers } from './leftovers.ts'
import type { ProcessOutcome, RunningProcess } from './run-process.ts'
import { startNode } from './run-process.ts'
import { vitestCli } from './run-vitest.ts'

/** Each file says which database it has, and does what would fail or wait if any other test were in it. */
const file = (number: number): string => `
  import { appendFileSync } from 'node:fs'
  import { beforeAll, expect, test } from 'vitest'
  import { addUser, names, pool } from './app'
  beforeAll(async () => {
    const { rows } = await pool.query('select current_database() as name')
    appendFileSync('databases.log', rows[0].name + ' ' + (process.env.SHARD ?? '') + '\\n')
    await addUser('file')
  })
  test.each([1, 2, 3])('test %i of file ${number}', async () => {
    await pool.query('select pg_advisory_lock(1)')
    expect(await names()).toEqual(['file'])
    expect(await addUser('mine')).toBe(2)
    await pool.query('alter table users add column seen int')
    if (process.env.HANGS) {
      console.log('in the middle')
      await pool.query('select pg_sleep(60)')
    }
  })
`

const files: Readonly<Record<string, string>> = {
  'app.ts': app['app.ts']!,
  'vitest.config.ts': `
    import { defineConfig } from 'vitest/config'
    import { vivarium } from 'vivarium/vitest'
    export default defineConfig({ plugins: [vivarium()], test: { maxWorkers: 2, hookTimeout: 60_000, testTimeout: 60_000 } })
  `,
  'vivarium.config.ts': `
    import { defineConfig } from 'vivarium'
    export default defineConfig({ postgres: { migrations: { command: 'node migrate.mjs', inputs: ['migrate.mjs'] } } })
  `,
}

/** A migration that leaves a line each time it runs; its text, and so the template's name, is used by nobody else. */
const migrate = (mark: string): string => `
  // ${mark}
  import { appendFileSync } from 'node:fs'
  import pg from 'pg'
  appendFileSync('builds.log', 'built\\n')
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL })
  await client.connect()
  await client.query('create table users (id serial primary key, name text not null unique)')
  await client.end()
`

/** What {@link runShards} does. */
export interface RunShardsOptions {
  readonly url: string
  readonly shards: number
  /** Kill this one, the whole process group, in the middle of a test. */
  readonly victim?: number
  /** @default 'transaction' */
  readonly isolation?: Isolation
}

/**
 * Runs the shards of one suite at the same time on one server, on which nothing of it has ever run. All must pass, the template
 * must be built once, no two shards may have had one database, and but the template nothing may be left.
 */
export async function runShards({ url, shards, victim, isolation = 'transaction' }: RunShardsOptions): Promise<void> {
  await using installed = await installPackage()
  const mark = `${process.pid} ${performance.timeOrigin + performance.now()}`
  const names = Array.from({ length: 2 * shards }, (_, index) => `file${index + 1}.test.ts`)
  const folder = installed.writeProject('project', {
    ...files,
    'migrate.mjs': migrate(mark),
    ...Object.fromEntries(names.map((name, index) => [name, file(index + 1)])),
  })
  const start = (shard: number): RunningProcess => {
    const args = [vitestCli, 'run', `--shard=${shard}/${shards}`, '--disableConsoleIntercept']
    const hangs: Record<string, string> = shard === victim ? { HANGS: '1' } : {}
    const env = {
      VIVARIUM_POSTGRES_URL: url,
      VIVARIUM_CACHE_DIR: installed.cacheFolder,
      VIVARIUM_ISOLATION: isolation,
      SHARD: String(shard),
      ...hangs,
    }
    return startNode(args, { cwd: folder, env, deadlineMs: 110_000 })
  }
  const running = Array.from({ length: shards }, (_, index) => start(index + 1))
  if (victim !== undefined) {
    const killed = running[victim - 1]!
    await killed.printed('in the middle')
    killed.kill('SIGKILL', 'group')
    expect((await killed.ended).signal).toBe('SIGKILL')
  }
  const outcomes = await Promise.all(running.map((shard) => shard.ended))
  const used = readLines(join(folder, 'databases.log')).map((line) => line.split(' '))
  // Clones, template and half-built templates of one suite have the beginning of one hash in their names.
  const hash = used[0]?.[0]?.split('_')[1]
  try {
    for (const [index, outcome] of outcomes.entries()) if (index + 1 !== victim) expectPassed(outcome)
    expect(readLines(join(folder, 'builds.log'))).toEqual(['built'])
    expect(new Set(used.map(([, shard]) => shard)).size).toBe(shards)
    for (const [name] of used) {
      expect(new Set(used.filter(([other]) => other === name).map(([, shard]) => shard)).size, name).toBe(1)
    }
    if (victim !== undefined) {
      // What it held is free at once; dropping it is the next start's work.
      expectPassed(await start(victim === 1 ? 2 : 1).ended)
      expect(findLeftovers(running[victim - 1]!.pid).processes).toEqual([])
    }
    expect(await databasesOf(url, hash)).toEqual([expect.stringContaining('vivarium_template_')])
  } finally {
    await dropAll(url, hash)
  }
}

async function databasesOf(url: string, hash: string | undefined): Promise<string[]> {
  await using client = await openPostgresClient(url)
  const rows = await client.query(
    `SELECT datname FROM pg_database WHERE datname ~ '^vivarium_((template|building)_)?${hash}' ORDER BY 1`,
  )
  return rows.map(({ datname }) => datname ?? '')
}

async function dropAll(url: string, hash: string | undefined): Promise<void> {
  if (hash === undefined) return
  await using client = await openPostgresClient(url)
  for (const name of await databasesOf(url, hash)) {
    await client.query(`ALTER DATABASE "${name}" IS_TEMPLATE false`)
    await client.query(`DROP DATABASE "${name}" WITH (FORCE)`)
  }
}

function expectPassed({ code, stdout, stderr }: ProcessOutcome): void {
  expect(code, `${stdout}\n${stderr}`).toBe(0)
  expect(stdout).toMatch(/Tests {2}6 passed \(6\)/)
}

function readLines(path: string): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []
}
