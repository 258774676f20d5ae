import { afterAll, beforeAll, expect, test } from 'vitest'
import { installPackage, type InstalledPackage } from '../support/installed-package.ts'
import { runVitest, type VitestOutcome } from '../support/run-vitest.ts'
import { app } from './app.ts'

const tests = `
  import { expect, test } from 'vitest'
  import { currentSandbox } from 'vivarium'
  import { pool } from './app'

  test('is warned', async () => {
    await pool.query('select * from users for update skip locked')
    expect(currentSandbox().fidelityWarnings.map(({ kind }) => kind)).toEqual(['row-lock'])
  })
  test('is warned of the same', async () => void (await pool.query('select * from users for update skip locked')))
  test('is not warned', async () => void (await pool.query('select * from users')))
`

let installed: InstalledPackage

beforeAll(async () => {
  installed = await installPackage()
})
afterAll(() => installed[Symbol.asyncDispose]())

function runWith(fidelity: 'warn' | 'fail' | undefined): Promise<VitestOutcome> {
  const option = fidelity === undefined ? '' : `, fidelity: '${fidelity}'`
  const project = installed.writeProject(`project-${fidelity ?? 'default'}`, {
    ...app,
    'vivarium.config.ts': `export default { postgres: { migrations: './migrations' }${option} }`,
    'warned.test.ts': tests,
  })
  return runVitest(project, { env: { VIVARIUM_CACHE_DIR: installed.cacheFolder } })
}

test('a fidelity warning passes by default and is printed once, with the tests it came from', async () => {
  const run = await runWith(undefined)
  expect(run.code, run.output).toBe(0)
  expect(run.output.match(/postgres\/row-lock:/g)).toHaveLength(1)
  expect(run.output).toMatch(/ {4}in warned\.test\.ts > is warned\n {4}in warned\.test\.ts > is warned of the same\n/)
})

test("with fidelity 'fail' the tests that were warned fail, and no other", async () => {
  const run = await runWith('fail')
  expect(run.code, run.output).toBe(1)
  expect(run.tests.map(({ title, status }) => [title, status])).toEqual([
    ['is warned', 'failed'],
    ['is warned of the same', 'failed'],
    ['is not warned', 'passed'],
  ])
  expect(run.test('is warned').failureMessages.join('\n')).toMatch(/FIDELITY_WARNING/)
})
