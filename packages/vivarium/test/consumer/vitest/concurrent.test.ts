import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clonePattern } from '../../../src/postgres/leases/clone-name.ts'
import { isolations } from '../../support/isolations.ts'
import { installPackage, type InstalledPackage } from '../support/installed-package.ts'
import { runVitest } from '../support/run-vitest.ts'
import { app } from './app.ts'

const atOnce = 8

/** The application's one pool for all is replaced where it is made, and nowhere else. */
const files = {
  ...app,
  'pool.ts': `
    import pg from 'pg'
    export const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })`,
  'app.ts': app['app.ts']!.replace(/import pg[^]*?new pg.*\n/, "import { pool } from './pool'\n"),
  'concurrent.test.ts': `
    import { appendFileSync } from 'node:fs'
    import { expect, test, vi } from 'vitest'
    import { addUser, names } from './app'
    import { pool } from './pool'

    vi.mock('./pool', async () => {
      const { default: pg } = await import('pg')
      const { perSandbox } = await import('vivarium')
      return { pool: perSandbox(({ postgres: { url } }) => new pg.Pool({ connectionString: url, max: 2 })) }
    })

    const look = \`
      select current_database() as database, pg_try_advisory_lock(1) as locked,
        (select count(*)::int from pg_database where datname ~ '${clonePattern.replaceAll('$', '\\$')}') as databases\`
    let running = 0

    test.concurrent.for(Array.from({ length: 200 }, (_, index) => index))('test %i', async () => {
      running++
      expect(await addUser('the same name')).toBe(1)
      await expect(addUser('the same name')).rejects.toThrow('duplicate key')
      const { locked, ...seen } = (await pool.query(look)).rows[0]
      expect(locked).toBe(true)
      expect(await names()).toEqual(['the same name'])
      appendFileSync('seen.jsonl', JSON.stringify({ ...seen, running }) + '\\n')
      running--
    })`,
}

let installed: InstalledPackage

beforeAll(async () => {
  installed = await installPackage()
})
afterAll(() => installed[Symbol.asyncDispose]())

interface Seen {
  readonly database: string
  /** All clones of the run, as the server has them. */
  readonly databases: number
  readonly running: number
}

test.each(isolations)(
  '200 concurrent tests of an application with one pool for all: %s',
  { timeout: 60_000 },
  async (isolation) => {
    const project = installed.writeProject(`project-${isolation}`, files)
    const env = { VIVARIUM_CACHE_DIR: installed.cacheFolder, VIVARIUM_ISOLATION: isolation }
    const run = await runVitest(project, { args: [`--maxConcurrency=${atOnce}`], env, deadlineMs: 55_000 })
    expect(run.code, run.output).toBe(0)
    expect(run.tests.filter(({ status }) => status === 'passed')).toHaveLength(200)

    const lines = readFileSync(join(project, 'seen.jsonl'), 'utf8').trim().split('\n')
    const seen = lines.map((line) => JSON.parse(line) as Seen)
    expect(Math.max(...seen.map(({ running }) => running))).toBe(atOnce)
    // Their file's own sandbox has done nothing, so it needs none beside them.
    expect(Math.max(...seen.map(({ databases }) => databases))).toBe(atOnce)
    expect(new Set(seen.map(({ database }) => database)).size).toBe(atOnce)
  },
)
