import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { isRequired } from '../../../../scripts/support/describe-if-found.ts'
import { notRunLines, runSuite } from '../../../../scripts/support/vitest-run.ts'

const packageFolder = join(import.meta.dirname, '../..')
const vitest = join(createRequire(import.meta.url).resolve('vitest/package.json'), '../vitest.mjs')

it('VIVARIUM_REQUIRE is a comma list of whole names', () => {
  expect(isRequired('redis', 'external-postgres, redis')).toBe(true)
  expect(isRequired('external-postgres', 'redis,external-postgres-18')).toBe(false)
  expect(isRequired('chromium', '')).toBe(false)
})

it('what was not found is not run, with the reason printed, and what was found is run', async () => {
  const { code, output } = await runFixture({ VIVARIUM_REQUIRE: '', VIVARIUM_TEST_POSTGRES_URL: await deadUrl() })
  expect(output).toMatch(/1 passed \| 1 skipped/)
  expect(output).toContain('Not run: "something optional": no PostgreSQL answered')
  expect(code).toBe(0)
})

it('what VIVARIUM_REQUIRE names and was not found fails the run', async () => {
  const env = { VIVARIUM_REQUIRE: 'redis,external-postgres', VIVARIUM_TEST_POSTGRES_URL: await deadUrl() }
  const { code, output } = await runFixture(env)
  expect(output).toMatch(/1 failed \| 1 passed/)
  expect(output).toContain('external-postgres was not found')
  expect(code).toBe(1)
})

it('what was not run is summed up from the report of the run: how many tests, for want of what, and how to make it a failure', async () => {
  const outcome = await runSuite({
    name: 'not-run-fixture',
    folder: 'packages/vivarium',
    config: 'test/support/fixtures/vitest.config.ts',
    env: { VIVARIUM_REQUIRE: '', VIVARIUM_TEST_POSTGRES_URL: await deadUrl() },
    quiet: true,
  })
  expect(notRunLines([outcome, outcome])).toEqual([
    'Not run: 2 tests that need external-postgres: no PostgreSQL answered at VIVARIUM_TEST_POSTGRES_URL, by default ' +
      '127.0.0.1:5432 as postgres. VIVARIUM_REQUIRE=external-postgres makes this a failure.',
  ])
})

function runFixture(env: NodeJS.ProcessEnv): Promise<{ code: number | null; output: string }> {
  const args = ['run', '--config', 'test/support/fixtures/vitest.config.ts', '--reporter=default']
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')))
  const child = spawn(process.execPath, [vitest, ...args], {
    cwd: packageFolder,
    env: { ...inherited, NO_COLOR: '1', FORCE_COLOR: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output }))
  })
}

/** A URL at which nothing answers: of a port that was free a moment ago. */
async function deadUrl(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `postgres://postgres@127.0.0.1:${port}/postgres`
}
