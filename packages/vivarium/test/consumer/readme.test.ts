import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installPackage, type InstalledPackage } from './support/installed-package.ts'
import { runNode } from './support/run-process.ts'
import { runVitest } from './support/run-vitest.ts'

const readme = readFileSync(new URL('../../../../README.md', import.meta.url), 'utf8')
const blocks = [...readme.matchAll(/^```ts\n([^]*?)^```$/gm)].map((match) => match[1] ?? '')
const migrations = { 'migrations/0001_users.sql': 'create table users (email text primary key);\n' }

let installed: InstalledPackage

beforeAll(async () => {
  installed = await installPackage()
})
afterAll(() => installed[Symbol.asyncDispose]())

test('the first test of the README passes as it stands there', async () => {
  // A block that is a file says its name in its first line.
  const files = blocks.flatMap((block) => {
    const name = /^\/\/ (\S+\.ts)\n/.exec(block)?.[1]
    return name === undefined ? [] : [[name, block] as const]
  })
  expect(files.map(([name]) => name)).toEqual(['vitest.config.ts', 'vivarium.config.ts', 'users.test.ts'])
  const project = installed.writeProject('first-test', { ...Object.fromEntries(files), ...migrations })
  const outcome = await runVitest(project, { env: { VIVARIUM_CACHE_DIR: installed.cacheFolder } })
  expect(outcome.tests.map(({ title, status }) => [title, status])).toEqual([
    ['a new user is stored with one query', 'passed'],
    ['the next test starts from the migrations again', 'passed'],
  ])
  expect(outcome.code, outcome.output).toBe(0)
})

test('what the README does without a runner works as it stands there', async () => {
  const script = blocks.find((block) => block.includes('openVivarium')) ?? ''
  // Node 20 runs no TypeScript: the block has none beyond its file name.
  const project = installed.writeProject('without-a-runner', { 'script.mjs': script, ...migrations })
  const outcome = await runNode(['script.mjs'], {
    cwd: project,
    env: { VIVARIUM_CACHE_DIR: installed.cacheFolder },
  })
  expect(outcome).toMatchObject({ code: 0, stderr: '' })
  expect(script).toContain('sandbox.close()')
})
