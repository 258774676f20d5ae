import { afterAll, beforeAll, expect, test } from 'vitest'
import { installPackage, type InstalledPackage } from '../support/installed-package.ts'
import { runVitest, type VitestOutcome } from '../support/run-vitest.ts'
import { app } from './app.ts'

const head = `
  import { afterAll, beforeAll, expect, test } from 'vitest'
  import pg from 'pg'
  import { currentSandbox } from 'vivarium'
  import { addUser, names, pool } from './app'
  async function leaveTransactionOpen(): Promise<void> {
    const client = await pool.connect()
    client.on('error', () => {})
    await client.query('begin')
    await client.query("insert into users (name) values ('left open')")
  }
  async function addThrough(url: string): Promise<number> {
    const own = new pg.Client(url)
    await own.connect()
    try {
      return (await own.query("insert into users (name) values ('own') returning id")).rows[0].id
    } finally {
      await own.end()
    }
  }
`
const files: Readonly<Record<string, string>> = {
  'time-out.test.ts': `
    test('times out in a statement', { timeout: 300 }, async () => {
      await addUser('late')
      await pool.query('select pg_sleep(60)')
    })
    test('comes after the time-out', async () => {
      expect(await names()).toEqual([])
      expect(await addUser('next')).toBe(1)
    })`,
  'left-open.test.ts': `
    test('leaves a transaction open', leaveTransactionOpen)
    test('comes after the open transaction', async () => expect(await names()).toEqual([]))`,
  'fails.test.ts': `
    test.fails('is expected to fail and leaves a transaction open', async () => {
      await leaveTransactionOpen()
      throw new Error('as expected')
    })
    test('passes beside it', async () => expect(await names()).toEqual([]))`,
  'skips.test.ts': `
    test('skips itself and leaves a transaction open', async (context) => {
      await leaveTransactionOpen()
      context.skip()
    })
    test('passes beside the skipped one', () => {})`,
  'retry.test.ts': `
    let attempts = 0
    test('is flaky', { retry: 1 }, async () => {
      if (attempts++ === 0) await leaveTransactionOpen()
    })`,
  'concurrent.test.ts': `
    test.concurrent('uses the global pool', async () => void (await addUser('a')))
    test.concurrent('uses it as well', async () => void (await addUser('b')))
    test('runs alone', async () => expect(await addUser('c')).toBe(1))`,
  'swallowed.test.ts': `
    test.concurrent('catches the refusal', async () => void (await addUser('a').catch(() => {})))`,
  'pinned.test.ts': `
    test.concurrent.each([1, 2, 3])('has a database of its own %i', async () => {
      expect(await addThrough(currentSandbox().postgres.url)).toBe(1)
    })`,
  'file-work.test.ts': `
    beforeAll(async () => void (await addUser('for all')))
    test.concurrent('misses what beforeAll did', async () => void (await addThrough(currentSandbox().postgres.url)))
    test.concurrent('does without a database', () => {})`,
}

let installed: InstalledPackage
let run: VitestOutcome

beforeAll(async () => {
  installed = await installPackage()
  const tests = Object.entries(files).map(([name, text]) => [name, head + text])
  const project = installed.writeProject('project', { ...app, ...Object.fromEntries(tests) })
  run = await runVitest(project, { env: { VIVARIUM_CACHE_DIR: installed.cacheFolder }, deadlineMs: 50_000 })
})
afterAll(() => installed[Symbol.asyncDispose]())

test('the run fails, and nothing in it went unhandled', () => {
  expect(run.code).toBe(1)
  expect(run.output).not.toContain('Unhandled')
})

test('a test that times out in a statement is told so, and the next one is not affected', () => {
  const timedOut = run.test('times out in a statement')
  expect(timedOut.status).toBe('failed')
  expect(run.output).toContain('Test timed out in 300ms')
  expect(timedOut.failureMessages.join('\n')).toMatch(/Seen: select pg_sleep\(60\)[^]*STATEMENT_STILL_RUNNING/)
  expect(run.test('comes after the time-out')).toMatchObject({ status: 'passed' })
})

test('a transaction left open fails the test that left it, and only that one', () => {
  const left = run.test('leaves a transaction open')
  expect(left.status).toBe('failed')
  expect(left.failureMessages.join('\n')).toContain('TRANSACTION_LEFT_OPEN')
  expect(run.test('comes after the open transaction')).toMatchObject({ status: 'passed' })
})

test.each([
  ['fails.test.ts', 'is expected to fail and leaves a transaction open'],
  ['skips.test.ts', 'skips itself and leaves a transaction open'],
])('what Vitest would swallow in %s fails the file', (name, title) => {
  expect(run.file(name)).toMatchObject({ status: 'failed' })
  expect(run.output).toMatch(new RegExp(`Test "${title}" broke a promise of its sandbox`))
  expect(run.output).toContain(`FAIL  ${name}`)
})

test('what a retry hid does not fail the run, and is reported at its end', () => {
  expect(run.file('retry.test.ts')).toMatchObject({ status: 'passed' })
  expect(run.test('is flaky').meta.vivarium?.closeFailures).toHaveLength(1)
  expect(run.output).toMatch(
    /1 test broke a promise of the sandbox, and a retry hid it\n {2}retry\.test\.ts > is flaky/,
  )
})

test('concurrent tests on the stable URL are refused with the remedy, and a test that runs alone is not', () => {
  for (const title of ['uses the global pool', 'uses it as well']) {
    expect(run.test(title).status).toBe('failed')
    expect(run.test(title).failureMessages.join('\n')).toContain('currentSandbox().postgres.url')
  }
  expect(run.test('runs alone')).toMatchObject({ status: 'passed' })
})

test('a refusal that the application caught still fails the file', () => {
  expect(run.test('catches the refusal').status).toBe('passed')
  expect(run.file('swallowed.test.ts')).toMatchObject({ status: 'failed' })
})

test('concurrent tests on their pinned URLs each have a world of their own', () => {
  expect(run.file('pinned.test.ts')).toMatchObject({ status: 'passed', assertionResults: { length: 3 } })
})

test('a concurrent test that cannot see what beforeAll wrote is told so', () => {
  const message = run.test('misses what beforeAll did').failureMessages.join('\n')
  expect(message).toContain('FILE_WORK_NOT_SHARED')
  expect(message).toContain('isolation/database')
  expect(run.file('file-work.test.ts').assertionResults.map(({ status }) => status)).toEqual(['failed', 'passed'])
})

/** Does in one file, once that has ended, what the other file of the same worker finds there. */
const lateCall = `
  import { AsyncResource } from 'node:async_hooks'
  import { test } from 'vitest'
  import { defineMock } from 'vivarium/mock'
  const gateway = defineMock<{ refund(id: string): Promise<void> }>('Gateway')
  const shared = globalThis as { late?: () => void }
  test('calls late, and leaves a call for later', async () => {
    shared.late?.()
    shared.late = AsyncResource.bind(() => {
      try {
        void gateway.double.refund('ch_1')
      } catch {
        // As an application may that swallows what it gets.
      }
    })
  })`

test('what comes when its file has ended fails the run', async () => {
  const project = installed.writeProject('late', { ...app, 'one.test.ts': lateCall, 'two.test.ts': lateCall })
  const late = await runVitest(project, {
    args: ['--no-isolate', '--maxWorkers=1'],
    env: { VIVARIUM_CACHE_DIR: installed.cacheFolder },
    deadlineMs: 50_000,
  })
  expect(late.output).toMatch(/Unhandled Rejection[^]*Gateway\.refund[^]*SANDBOX_CLOSED/)
  expect(late.tests.map(({ status }) => status)).toEqual(['passed', 'passed'])
  expect(late.code).toBe(1)
})
