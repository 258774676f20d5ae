import { afterAll, beforeAll, expect, test } from 'vitest'
import { installPackage, type InstalledPackage } from '../support/installed-package.ts'
import { runVitest, type VitestOutcome } from '../support/run-vitest.ts'
import { app } from './app.ts'

/** What only real commits allow: an unmistakable sign of the isolation that a test really has. */
const canVacuum = `
  import { currentSandbox } from 'vivarium'
  import { pool } from './app'
  export async function realIsolation(): Promise<string> {
    const vacuumed = await pool.query('vacuum users').then(() => true, () => false)
    return vacuumed ? 'database' : 'transaction'
  }
  export async function seesIts(isolation: string): Promise<void> {
    const seen = [currentSandbox().isolation, await realIsolation()].join()
    if (seen !== [isolation, isolation].join()) throw new Error('isolation ' + seen)
  }
`

// Vitest looks for it in the text of a test file, of this one as well.
const fileTag = ['module', 'tag'].join('-')

const files = {
  ...app,
  'real.ts': canVacuum,
  'by-test.test.ts': `
    import { describe, test } from 'vitest'
    import { currentSandbox } from 'vivarium'
    import { seesIts } from './real'
    test('plain', () => seesIts(currentSandbox().isolation))
    test('tagged database', { tags: ['isolation/database'] }, () => seesIts('database'))
    test('tagged transaction', { tags: 'isolation/transaction' }, () => seesIts('transaction'))
    describe('suite', { tags: ['isolation/database'] }, () => {
      test('in a tagged suite', () => seesIts('database'))
      test('taken back', { tags: ['isolation/transaction'] }, () => seesIts('transaction'))
      test.for([1])('each %i', () => seesIts('database'))
    })
    test.concurrent('concurrent', { tags: ['isolation/database'] }, async () => {
      if (currentSandbox().isolation !== 'database') throw new Error('not asked')
    })
  `,
  'by-file.test.ts': `
    // @${fileTag} isolation/database
    import { afterAll, beforeAll, expect, test } from 'vitest'
    import { addUser, names } from './app'
    import { seesIts } from './real'
    beforeAll(async () => {
      await seesIts('database')
      expect(await addUser('file')).toBe(1)
    })
    afterAll(async () => expect(await names()).toEqual(['file']))
    test.for([1, 2])('in a tagged file %i', async () => {
      await seesIts('database')
      expect(await names()).toEqual(['file'])
      expect(await addUser('mine')).toBe(2)
    })
    test('another isolation than the file', { tags: 'isolation/transaction' }, () => undefined)
  `,
  'concurrent-file.test.ts': `
    // @${fileTag} isolation/database
    import pg from 'pg'
    import { afterAll, beforeAll, expect, test } from 'vitest'
    import { currentSandbox } from 'vivarium'
    import { addUser, names } from './app'
    beforeAll(async () => void (await addUser('file')))
    afterAll(async () => expect(await names()).toEqual(['file']))
    test.concurrent.for([1, 2, 3])('beside others in a tagged file %i', async () => {
      const client = new pg.Client(currentSandbox().postgres.url)
      await client.connect()
      const { rows } = await client.query("insert into users (name) values ('mine') returning id")
      expect(rows).toEqual([{ id: 2 }])
      expect((await client.query('select name from users order by id')).rows.map((row) => row.name)).toEqual(['file', 'mine'])
      await client.end()
    })
    test('after the others in a tagged file', async () => expect(await names()).toEqual(['file']))
  `,
}

const taggedOnes = {
  'tagged database': 'database',
  'tagged transaction': 'transaction',
  'in a tagged suite': 'database',
  'taken back': 'transaction',
  'each 1': 'database',
  concurrent: 'database',
  'in a tagged file 1': 'database',
  'in a tagged file 2': 'database',
  'beside others in a tagged file 1': 'database',
  'beside others in a tagged file 2': 'database',
  'beside others in a tagged file 3': 'database',
  'after the others in a tagged file': 'database',
}

let installed: InstalledPackage

beforeAll(async () => {
  installed = await installPackage()
})
afterAll(() => installed[Symbol.asyncDispose]())

let count = 0
function run(
  changed: Readonly<Record<string, string>>,
  isolation?: string,
  args: string[] = [],
): Promise<VitestOutcome> {
  const project = installed.writeProject(`project-${++count}`, { ...files, ...changed })
  const env = { VIVARIUM_CACHE_DIR: installed.cacheFolder, ...(isolation && { VIVARIUM_ISOLATION: isolation }) }
  return runVitest(project, { env, args })
}

/** Tests that passed, with the isolation that they had. */
function passedIn(outcome: VitestOutcome): Record<string, string | undefined> {
  const passed = outcome.tests.filter(({ status }) => status === 'passed')
  return Object.fromEntries(passed.map(({ title, meta }) => [title, meta.vivarium?.isolation]))
}

const configured = (isolation: string): Record<string, string> => ({
  'vivarium.config.ts': `export default { postgres: { migrations: './migrations', isolation: '${isolation}' } }`,
})

test.each<[string, Record<string, string>, string | undefined, string]>([
  ['by itself', {}, undefined, 'transaction'],
  ['by the configuration', configured('database'), undefined, 'database'],
  ['by VIVARIUM_ISOLATION', {}, 'database', 'database'],
  ['by VIVARIUM_ISOLATION against the configuration', configured('database'), 'transaction', 'transaction'],
])('%s a test without a tag has its isolation, and a tag wins', async (_, config, variable, isolation) => {
  const outcome = await run(config, variable)
  expect(passedIn(outcome), outcome.output).toEqual({ plain: isolation, ...taggedOnes })
})

test('a test of another isolation than what its file did is told so', async () => {
  const outcome = await run({}, undefined, ['by-file'])
  const failed = outcome.tests.filter(({ status }) => status === 'failed')
  expect(failed.map(({ title }) => title)).toEqual(['another isolation than the file'])
  expect(failed[0]?.failureMessages.join()).toContain('ISOLATION_MIXED')
})

test('the tags are known in an inline project, beside the user’s own, and select tests', async () => {
  const config = `
    import { defineConfig } from 'vitest/config'
    import { vivarium } from 'vivarium/vitest'
    export default defineConfig({ test: { projects: [
      { plugins: [vivarium()], test: { include: ['own.test.ts', 'by-test.test.ts'], tags: [{ name: 'own' }] } },
    ] } })`
  const own = `
    import { test } from 'vitest'
    import { seesIts } from './real'
    test('with both', { tags: ['own', 'isolation/database'] }, () => seesIts('database'))
    test('with its own only', { tags: ['own'] }, () => seesIts('transaction'))`
  const outcome = await run({ 'vitest.config.ts': config, 'own.test.ts': own }, undefined, [
    '--tags-filter=isolation/database && own',
  ])
  expect(passedIn(outcome), outcome.output).toEqual({ 'with both': 'database' })
})
