import { afterAll, beforeAll, expect, test } from 'vitest'
import { installPackage, type InstalledPackage } from '../support/installed-package.ts'
import { runVitest } from '../support/run-vitest.ts'
import { app } from './app.ts'

let installed: InstalledPackage
let project: string

const aFile = `
  import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
  import { currentSandbox } from 'vivarium'
  import { addUser, names, pool } from '../app'

  beforeAll(async () => {
    expect(await names()).toEqual([])
    expect(await addUser('file')).toBe(1)
  })
  afterAll(async () => {
    expect(await names()).toEqual(['file', 'suite'])
  })

  test('sees what beforeAll wrote, and writes its own', async () => {
    expect(await names()).toEqual(['file'])
    expect(await addUser('mine')).toBe(2)
    expect(await names()).toEqual(['file', 'mine'])
  })
  test('sees nothing of another test, and gets the same ids', async () => {
    expect(await names()).toEqual(['file'])
    expect(await addUser('mine')).toBe(2)
  })
  test('a caught error does not poison the test', async () => {
    await expect(addUser('file')).rejects.toThrow(/duplicate key/)
    expect(await names()).toEqual(['file'])
  })
  test('commits and rolls back as the application asks', async () => {
    const client = await pool.connect()
    try {
      await client.query('begin')
      await client.query("insert into users (name) values ('committed')")
      await client.query('commit')
      await client.query('begin')
      await client.query("insert into users (name) values ('rolled back')")
      await client.query('rollback')
    } finally {
      client.release()
    }
    expect(await names()).toEqual(['file', 'committed'])
  })
  test('looks at its own statements', async () => {
    const seen = await currentSandbox().observe(() => addUser('observed'))
    expect(seen.result).toBe(2)
    expect(seen.queries).toMatchObject([{ command: 'INSERT', rowCount: 1, params: ['observed'] }])
  })
  describe('with hooks', () => {
    beforeEach(async () => void (await addUser('each')))
    afterEach(async () => expect(await names()).toEqual(['file', 'each', 'mine']))
    test('beforeEach and afterEach belong to the test', async () => {
      await addUser('mine')
    })
    test('and to each test anew', async () => {
      await addUser('mine')
    })
  })
  describe('with a beforeAll of its own', () => {
    beforeAll(async () => void (await addUser('suite')))
    test.each([1, 2])('case %i sees it', async () => {
      expect(await names()).toEqual(['file', 'suite'])
      await addUser('case')
    })
  })
  describe.each(['x', 'y'])('described with %s', (name) => {
    test('starts as every test of the file does', async () => {
      expect(await names()).toEqual(['file', 'suite'])
      await addUser(name)
    })
  })
  let attempts = 0
  test('each attempt starts clean', { retry: 2 }, async () => {
    expect(await names()).toEqual(['file', 'suite'])
    await addUser('attempt')
    expect(++attempts).toBe(3)
  })
  test('each repetition starts clean', { repeats: 2 }, async () => {
    expect(await names()).toEqual(['file', 'suite'])
    await addUser('again')
  })
  test.fails('an expected failure is one', async () => {
    await addUser('failing')
    expect(await names()).toEqual([])
  })
  test('nothing of an expected failure is left', async () => {
    expect(await names()).toEqual(['file', 'suite'])
  })
  test.concurrent.each([1, 2, 3])('concurrent test %i does without a database', async () => {
    await Promise.resolve()
  })
`

beforeAll(async () => {
  installed = await installPackage()
  project = installed.writeProject('project', {
    ...app,
    'first.test.ts': aFile.replaceAll('../app', './app'),
    'second.test.ts': aFile.replaceAll('../app', './app'),
  })
})
afterAll(() => installed[Symbol.asyncDispose]())

test.each([
  ['forks', '--isolate'],
  ['forks', '--no-isolate'],
  ['threads', '--isolate'],
  ['threads', '--no-isolate'],
])('plain tests are sandboxed as they stand: pool %s %s', async (pool, isolate) => {
  const env = { VIVARIUM_CACHE_DIR: installed.cacheFolder }
  const run = await runVitest(project, { args: [`--pool=${pool}`, isolate, '--maxWorkers=1'], env })
  expect(
    run.tests.filter(({ status }) => status !== 'passed').map(({ title, failureMessages }) => [title, failureMessages]),
  ).toEqual([])
  expect(run.files.map(({ message }) => message)).toEqual(['', ''])
  expect(run.tests).toHaveLength(2 * 18)
  expect(run.code, run.output).toBe(0)
  // What each test did stands in the report: three attempts, a select and an insert each.
  expect(run.test('each attempt starts clean').meta.vivarium).toMatchObject({
    sandboxes: 3,
    statements: 6,
    closeFailures: [],
  })
})
