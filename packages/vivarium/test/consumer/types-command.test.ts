import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { installPackage, type InstalledPackage } from './support/installed-package.ts'
import { findLeftovers } from './support/leftovers.ts'
import { type ProcessOutcome, startNode } from './support/run-process.ts'

let installed: InstalledPackage
let main: string
let count = 0

beforeAll(async () => {
  installed = await installPackage()
  const folder = join(installed.folder, 'node_modules/vivarium')
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { bin: { vivarium: string } }
  main = join(folder, bin.vivarium)
})
afterAll(() => installed[Symbol.asyncDispose]())

const users = 'create table users (id integer primary key, email text not null);'

/** A project whose configuration is TypeScript that imports a module of its own. */
function writeProject(files: Readonly<Record<string, string>> = {}): string {
  return installed.writeProject(`project-${++count}`, {
    'migrations/001_users.sql': users,
    'folder.ts': "export const migrations: string = './migrations'",
    'vivarium.config.ts': `
      import { defineConfig } from 'vivarium'
      import { migrations } from './folder'
      export default defineConfig({ postgres: { migrations }, mail: {} })`,
    ...files,
  })
}

async function run(folder: string, ...args: string[]): Promise<ProcessOutcome & { readonly pid: number }> {
  const started = startNode([main, ...args], { cwd: folder, env: { VIVARIUM_CACHE_DIR: installed.cacheFolder } })
  return { ...(await started.ended), pid: started.pid }
}

test('vivarium types writes the tables of the migrations, and leaves nothing behind', async () => {
  const folder = writeProject()

  const { code, stdout, stderr, pid } = await run(folder, 'types')

  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'vivarium.tables.ts written.\n', stderr: '' })
  const written = readFileSync(join(folder, 'vivarium.tables.ts'), 'utf8')
  expect(written).toContain('    row: {\n      id: number\n      email: string\n    }\n')
  expect(findLeftovers(pid)).toEqual({ folders: [], processes: [] })

  // What is as it should be is left alone: no watcher is woken.
  const before = statSync(join(folder, 'vivarium.tables.ts')).mtimeMs
  expect((await run(folder, 'types')).stdout).toContain('nothing written')
  expect(statSync(join(folder, 'vivarium.tables.ts')).mtimeMs).toBe(before)
})

test('--check is content with what is there, tells of drift by table with exit code 1, and writes nothing', async () => {
  const folder = writeProject()
  const args = ['types', '--out', 'test/tables.ts', '--naming', 'camel']
  const missing = await run(folder, ...args, '--check')
  expect(missing).toMatchObject({ code: 1, stdout: '' })
  expect(missing.stderr).toBe(
    'test/tables.ts is not there.\nRun: npx vivarium types --out test/tables.ts --naming camel\n',
  )

  expect((await run(folder, ...args)).stdout).toBe('test/tables.ts written.\n')
  expect(await run(folder, ...args, '--check')).toMatchObject({
    code: 0,
    stdout: 'test/tables.ts is as the migrations make it.\n',
  })

  writeFileSync(
    join(folder, 'migrations/002.sql'),
    'alter table users add column card_token text; create table orders (at date);',
  )
  const before = readFileSync(join(folder, 'test/tables.ts'), 'utf8')
  const drift = await run(folder, ...args, '--check')
  expect(drift.code).toBe(1)
  expect(drift.stderr).toBe(`test/tables.ts is not as the migrations make it (- the file, + the database):
  orders
    + the table
    + row at: string | null
    + insert at?: string | Date | null
  users
    + row cardToken: string | null
    + insert cardToken?: string | null
Run: npx vivarium types --out test/tables.ts --naming camel
`)
  expect(readFileSync(join(folder, 'test/tables.ts'), 'utf8')).toBe(before)
})

describe('the command line', () => {
  test('tells how it is used', async () => {
    for (const args of [['--help'], ['types', '--help']]) {
      expect(await run(installed.folder, ...args)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('vivarium types'),
      })
    }
    expect(await run(installed.folder)).toMatchObject({ code: 2 })
  })

  test('names what it does not know', async () => {
    const folder = writeProject()
    const command = await run(folder, 'typse')
    expect(command).toMatchObject({ code: 2, stdout: '' })
    expect(command.stderr).toContain("there is no command 'typse'. Did you mean 'types'?")
    expect((await run(folder, 'types', '--chek')).stderr).toContain("'--chek'")
    expect((await run(folder, 'types', '--naming', 'snake')).stderr).toContain("Give it 'database' or 'camel'.")
  })
})

describe('the configuration', () => {
  test('may be JavaScript, may be named, and lies where its paths start', async () => {
    const folder = writeProject({
      'config/vivarium.config.mjs': "export default { postgres: { migrations: '../migrations' } }",
    })

    const { code, stdout, stderr } = await run(folder, 'types', '--config', 'config/vivarium.config.mjs')

    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'config/vivarium.tables.ts written.\n', stderr: '' })
  })

  test('that is not there or says nothing of Postgres is told with the way out', async () => {
    const folder = writeProject({ 'other.config.mjs': 'export default {}', 'empty.mjs': '' })
    rmSync(join(folder, 'vivarium.config.ts'))
    const { code, stderr } = await run(folder, 'types')
    expect(code).toBe(2)
    expect(stderr).toContain('There is no vivarium.config.ts here.')
    expect(stderr).toContain('CONFIG_INVALID')
    expect((await run(folder, 'types', '--config', 'nothing.ts')).stderr).toContain('There is no nothing.ts.')
    expect((await run(folder, 'types', '--config', 'other.config.mjs')).stderr).toContain('has no `postgres`')
    expect((await run(folder, 'types', '--config', 'empty.mjs')).stderr).toContain('has no default export')
    expect(existsSync(join(folder, 'vivarium.tables.ts'))).toBe(false)
  })

  test('in TypeScript, with nothing that reads it, is told with the ways out', async () => {
    await using bare = await installPackage()
    for (const name of ['vite', 'vitest']) rmSync(join(bare.folder, 'node_modules', name))
    const folder = bare.writeProject('project', {
      'migrations/001_users.sql': users,
      'vivarium.config.ts': "export default { postgres: { migrations: './migrations' as string } }",
    })
    const { code, stderr } = await run(folder, 'types')

    // Node 22.18 and later read TypeScript themselves.
    const readsTypes = 'typescript' in process.features && process.features.typescript !== false
    expect(code).toBe(readsTypes ? 0 : 2)
    expect(stderr).toContain(readsTypes ? '' : 'vivarium.config.ts is TypeScript, and nothing here reads it.')
    expect(stderr).toContain(readsTypes ? '' : 'Install Vitest or Vite')
  })
})
