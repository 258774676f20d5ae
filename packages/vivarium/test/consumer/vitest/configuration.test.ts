import { afterAll, beforeAll, expect, test } from 'vitest'
import { installPackage, type InstalledPackage } from '../support/installed-package.ts'
import { runVitest, type VitestOutcome } from '../support/run-vitest.ts'
import { app } from './app.ts'

let installed: InstalledPackage

beforeAll(async () => {
  installed = await installPackage()
})
afterAll(() => installed[Symbol.asyncDispose]())

const one = `
  import { expect, test } from 'vitest'
  import { addUser } from './app'
  test('adds a user', async () => expect(await addUser('one')).toBe(1))
`
let count = 0
function run(
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<VitestOutcome> {
  const project = installed.writeProject(`project-${++count}`, { ...app, 'one.test.ts': one, ...files })
  return runVitest(project, { env: { VIVARIUM_CACHE_DIR: installed.cacheFolder, ...env } })
}

const inline = (options: string, test = ''): string => `
  import { defineConfig } from 'vitest/config'
  import { vivarium } from 'vivarium/vitest'
  export default defineConfig({ plugins: [vivarium(${options})], test: { ${test} } })
`

test('inline options, another environment variable, and a set-up file that reads it as it loads', async () => {
  const outcome = await run({
    'vivarium.config.ts': 'throw new Error("not to be read")',
    'vitest.config.ts': inline(
      "{ postgres: { migrations: './migrations', env: 'APP_DATABASE' } }",
      "setupFiles: './setup.ts'",
    ),
    'setup.ts': "if (!process.env.APP_DATABASE?.startsWith('postgres://')) throw new Error('not written yet')",
    'app.ts': app['app.ts']!.replace('DATABASE_URL', 'APP_DATABASE'),
  })
  expect(
    outcome.tests.map(({ status }) => status),
    outcome.output,
  ).toEqual(['passed'])
  expect(outcome.code).toBe(0)
})

test('the plugin in one project of a workspace leaves the other projects alone', async () => {
  const outcome = await run({
    'vitest.config.ts': `
      import { defineConfig } from 'vitest/config'
      import { vivarium } from 'vivarium/vitest'
      export default defineConfig({ test: { projects: [
        { plugins: [vivarium()], test: { name: 'database', include: ['one.test.ts'] } },
        { test: { name: 'unit', include: ['unit.test.ts'] } },
      ] } })`,
    'unit.test.ts': `
      import { expect, test } from 'vitest'
      import { currentSandbox } from 'vivarium'
      test('has no sandbox', () => expect(() => currentSandbox()).toThrow('NO_SANDBOX'))`,
  })
  expect(
    outcome.tests.map(({ status }) => status),
    outcome.output,
  ).toEqual(['passed', 'passed'])
})

test('without options and without a configuration file the run ends with what to write', async () => {
  const files = { ...app, 'one.test.ts': one }
  delete (files as Record<string, string>)['vivarium.config.ts']
  const outcome = await runVitest(installed.writeProject('project-without', files))
  expect(outcome.code).toBe(1)
  expect(outcome.output).toContain('found no vivarium.config.ts')
  expect(outcome.output).toContain("export default defineConfig({ postgres: { migrations: './migrations' } })")
})

test.each([
  ['an unknown option', "{ postgres: { migration: 'x' } }", ['`postgres.migration`', 'Did you mean `migrations`?']],
  ['a wrong value', "{ postgres: { isolation: 'schema' } }", ['`postgres.isolation`', "'transaction' or 'database'"]],
])('%s ends the run before any test, and is named', async (_, options, messages) => {
  const outcome = await run({ 'vivarium.config.ts': `export default ${options}` })
  expect(outcome.code).toBe(1)
  expect(outcome.tests).toEqual([])
  for (const message of messages) expect(outcome.output).toContain(message)
})

test('a configuration file without a default export is named', async () => {
  const outcome = await run({ 'vivarium.config.ts': 'export const config = {}' })
  expect(outcome.code).toBe(1)
  expect(outcome.output).toContain('vivarium.config.ts has no default export')
})

test('a migration that fails ends the run with the file, the line and what the server said', async () => {
  const outcome = await run({
    'migrations/002_broken.sql': 'create table a (id int);\ninsert into nowhere values (1);\n',
  })
  expect(outcome.code).toBe(1)
  expect(outcome.tests).toEqual([])
  expect(outcome.output).toContain('002_broken.sql:2')
  expect(outcome.output).toContain('relation "nowhere" does not exist')
})

test('a server that cannot be reached is named', async () => {
  const outcome = await run({}, { VIVARIUM_POSTGRES_URL: 'postgres://nobody@127.0.0.1:1/none' })
  expect(outcome.code).toBe(1)
  expect(outcome.output).toContain('SERVER_UNREACHABLE')
})
