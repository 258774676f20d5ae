import { afterAll, beforeAll, expect, test } from 'vitest'
import { installPackage, type InstalledPackage } from './support/installed-package.ts'
import { runNode } from './support/run-process.ts'

let installed: InstalledPackage
let project: string

/** The same steps in both module systems; each prints what it saw as one line of JSON. */
const steps = `
  const vivarium = await openVivarium({ postgres: { migrations: './migrations' } })
  const pool = new pg.Pool({ connectionString: vivarium.postgres.url })
  const add = async (name) => (await pool.query('insert into users (name) values ($1) returning id', [name])).rows[0].id
  const codeOf = (promise) => promise.then(() => 'none', (error) => error.code)
  const seen = {}

  const first = await vivarium.openSandbox()
  const observed = await first.observe(() => add('one'))
  seen.observed = [observed.result, observed.queries.length, observed.queries[0].command, observed.queries[0].rowCount]
  seen.current = currentSandbox() === first
  seen.second = await codeOf(vivarium.openSandbox())
  const beside = await vivarium.openSandbox({ concurrent: true })
  const client = new pg.Client(beside.postgres.url)
  await client.connect()
  seen.beside = (await client.query('select count(*)::int as users from users')).rows[0].users
  await client.end()
  await beside.close()
  await first.close()
  await first.close()
  seen.afterClose = [await codeOf(first.observe(() => 1)), await codeOf(add('nobody'))]

  const next = await vivarium.openSandbox()
  seen.next = await add('one')
  const broken = await pool.connect()
  broken.on('error', () => {})
  await broken.query('begin')
  const failures = await next.close().catch((error) => error)
  seen.failures = [failures instanceof SandboxFailures, failures.code, failures.errors.map((error) => error.code)]

  const shared = perSandbox((sandbox) => new pg.Pool({ connectionString: sandbox.postgres.url }))
  seen.perSandbox = []
  for (const title of ['a', 'b']) {
    const owner = await vivarium.openSandbox({ title, concurrent: true })
    const insert = () => shared.query('insert into users (name) values ($1) returning id', [title])
    seen.perSandbox.push((await owner.observe(insert)).result.rows[0].id)
    await owner.close()
  }

  const plain = new pg.Client(vivarium.postgres.serverUrl)
  await plain.connect()
  seen.version = Number((await plain.query('show server_version_num')).rows[0].server_version_num) > 140000
  await plain.end()
  broken.release(true)
  await pool.end()
  await vivarium.close()
  await vivarium.close()
  seen.closed = await codeOf(vivarium.openSandbox())
  console.log(JSON.stringify(seen))
`

beforeAll(async () => {
  installed = await installPackage()
  project = installed.writeProject('scripts', {
    'migrations/001_users.sql': 'create table users (id serial primary key, name text not null unique);',
    'script.mjs': `
      import pg from 'pg'
      import { currentSandbox, openVivarium, perSandbox, SandboxFailures } from 'vivarium'
      ${steps}`,
    'script.cjs': `
      const pg = require('pg')
      const { currentSandbox, openVivarium, perSandbox, SandboxFailures } = require('vivarium')
      async function main() { ${steps} }
      main().catch((error) => { console.error(error); process.exitCode = 1 })`,
    'both.mjs': `
      import { createRequire } from 'node:module'
      import { currentSandbox, openVivarium, SandboxFailures, VivariumError } from 'vivarium'
      const copy = createRequire(import.meta.url)('vivarium')
      const vivarium = await copy.openVivarium()
      const sandbox = await vivarium.openSandbox()
      console.log(JSON.stringify([copy.openVivarium !== openVivarium, currentSandbox() === sandbox, copy.currentSandbox() === sandbox]))
      const error = await copy.openVivarium({ nothing: 1 }).catch((error) => error)
      const failures = new copy.SandboxFailures('of the copy', [error])
      console.log(JSON.stringify([error instanceof VivariumError, failures instanceof SandboxFailures, new Error() instanceof VivariumError]))
      await vivarium.close()`,
    'unclosed.mjs': `
      import { openVivarium } from 'vivarium'
      await openVivarium({ postgres: {} }).then((vivarium) => vivarium.openSandbox())
      console.log('opened')
      process.exit(0)`,
    'fails.mjs': `
      import { openVivarium } from 'vivarium'
      const error = await openVivarium({ postgres: { migrations: './missing' } }).catch((error) => error)
      console.log(error.code)`,
  })
})
afterAll(() => installed[Symbol.asyncDispose]())

function run(script: string): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return runNode([script], { cwd: project, env: { VIVARIUM_CACHE_DIR: installed.cacheFolder } })
}

test.each(['script.mjs', 'script.cjs'])('open, observe, close and what is refused work from %s', async (script) => {
  const { code, stdout, stderr } = await run(script)
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual({
    observed: [1, 1, 'INSERT', 1],
    current: true,
    second: 'SANDBOX_ALREADY_OPEN',
    beside: 0,
    afterClose: ['SANDBOX_CLOSED', '55000'],
    next: 1,
    failures: [true, 'TEST_BROKE_PROMISE', ['TRANSACTION_LEFT_OPEN']],
    perSandbox: [1, 1],
    version: true,
    closed: 'VIVARIUM_CLOSED',
  })
  expect(code).toBe(0)
})

test('both copies of the package in one process share the current sandbox, and know each other’s errors', async () => {
  const { stdout, stderr } = await run('both.mjs')
  expect(stderr).toBe('')
  expect(stdout.trim().split('\n')).toEqual(['[true,true,true]', '[true,true,false]'])
})

test('opening that fails midway leaves nothing that keeps the process alive', async () => {
  const { code, stdout } = await run('fails.mjs')
  expect(stdout.trim()).toBe('MIGRATIONS_NOT_FOUND')
  expect(code).toBe(0)
})

test('a script that never closes its vivarium still ends', async () => {
  const { code, stdout } = await run('unclosed.mjs')
  expect(stdout.trim()).toBe('opened')
  expect(code).toBe(0)
})
