import { afterAll, beforeAll, expect, test } from 'vitest'
import { installPackage, type InstalledPackage } from '../support/installed-package.ts'
import { runNode } from '../support/run-process.ts'
import { runVitest, type VitestOutcome } from '../support/run-vitest.ts'

const head = `
  import { afterAll, beforeAll, expect, test } from 'vitest'
  import { gateway, pay, provider } from './app'
`
/** A file's tests behind many lines that the compiler takes out: places in messages are those of the source. */
const typesAbove = Array.from({ length: 30 }, (_, index) => `interface Unused${index} {\n  a: string\n}\n`).join('')

const files: Readonly<Record<string, string>> = {
  'concurrent.test.ts': `
    const amounts = Array.from({ length: 100 }, (_, index) => index)
    test.concurrent.for(amounts)('pays %i', async (amount) => {
      provider.expect.charge({ amountCents: amount, key: expect.any(String) }).times(2).answers(async ({ amountCents }) => 'ch_' + amountCents)
      await new Promise((resolve) => setTimeout(resolve, amount % 7))
      expect(await pay(amount)).toBe('ch_' + amount)
      await new Promise((resolve) => setImmediate(resolve))
      expect(gateway.charge).toHaveBeenCalledTimes(1)
      expect(await pay(amount)).toBe('ch_' + amount)
      expect(gateway.charge).toHaveBeenCalledTimes(2)
      expect(gateway.charge).toHaveBeenLastCalledWith({ amountCents: amount, key: expect.any(String) })
    })
    test.concurrent('one of them breaks a promise', async () => {
      provider.expect.charge({ amountCents: 777, key: expect.any(String) }).resolves('ch_777')
    })`,
  'caught.test.ts': `
    test('catches an unexpected call', async () => {
      expect(await pay(5).catch(() => 'another way')).toBe('another way')
    })
    test('comes after it', async () => {
      provider.stub.charge(async () => 'ch_1')
      expect(await pay(5)).toBe('ch_1')
    })`,
  'fails.test.ts': `
    test.fails('is expected to fail and makes an unexpected call', async () => {
      await pay(5).catch(() => {})
      expect(1).toBe(2)
    })`,
  'retry.test.ts': `
    let attempts = 0
    test('is flaky', { retry: 1 }, async () => {
      provider.stub.charge(async () => 'ch_1')
      if (attempts++ === 0) provider.expect.charge().resolves('never')
    })`,
  'file.test.ts': `
    beforeAll(() => {
      provider.stub.charge(async () => 'of the file')
    })
    test('is served by the file', async () => expect(await pay(1)).toBe('of the file'))
    test('has its own', async () => {
      provider.expect.charge().resolves('of the test')
      expect(await pay(1)).toBe('of the test')
    })
    test('is served by the file again', async () => expect(await pay(1)).toBe('of the file'))
    test.concurrent('is served by the file, concurrent', async () => expect(await pay(1)).toBe('of the file'))
    afterAll(() => expect(gateway.charge).not.toHaveBeenCalled())`,
  'unmet-in-file.test.ts': `
    beforeAll(() => {
      provider.expect.charge().times(2).resolves('of the file')
    })
    test('makes one of two calls', async () => expect(await pay(1)).toBe('of the file'))`,
  'place.test.ts': `
    ${typesAbove}
    test('expects in vain', () => {
      provider.expect.charge({ amountCents: 1, key: 'HERE' }).resolves('ch_1')
    })`,
}

const app: Readonly<Record<string, string>> = {
  'app.ts': `
    import { defineMock } from 'vivarium/mock'
    export interface PaymentGateway {
      charge(request: { amountCents: number; key: string }): Promise<string>
    }
    export const provider = defineMock<PaymentGateway>('PaymentGateway')
    export const gateway = provider.double
    export async function pay(amountCents: number): Promise<string> {
      await Promise.resolve()
      return gateway.charge({ amountCents, key: 'key-' + amountCents })
    }
  `,
  'vitest.config.ts': `
    import { defineConfig } from 'vitest/config'
    import { vivarium } from 'vivarium/vitest'
    export default defineConfig({ plugins: [vivarium({})] })
  `,
}

const script = `
  const seen = {}
  const vivarium = await openVivarium({})
  const sandbox = await vivarium.openSandbox({ title: 'a script' })
  const mock = defineMock('Counter', { contract: { functions: { add: {} } } })
  mock.expect.add(1).returns(2)
  seen.added = mock.double.add(1)
  seen.calls = sandbox.calls.map(({ fn, args, value }) => [fn, args, value])
  mock.expect.add(2)
  seen.failures = await sandbox.close().catch((error) => error.errors.map(({ code }) => code))
  await vivarium.close()
`

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

test('100 concurrent tests of one file do not see each other in the same mock', () => {
  const { assertionResults } = run.file('concurrent.test.ts')
  expect(assertionResults.filter(({ status }) => status === 'passed')).toHaveLength(100)
  const [failed, ...more] = assertionResults.filter(({ status }) => status !== 'passed')
  expect(more).toEqual([])
  expect(failed?.title).toBe('one of them breaks a promise')
  expect(failed?.failureMessages.join('\n')).toMatch(/an expected call did not come[^]*calls that came: none/)
})

test('an unexpected call that the application caught fails its test, and only that one', () => {
  expect(run.file('caught.test.ts').assertionResults.map(({ status }) => status)).toEqual(['failed', 'passed'])
  expect(run.test('catches an unexpected call').failureMessages.join('\n')).toContain('MOCK_CALL_UNEXPECTED')
})

test('under test.fails it fails the file', () => {
  expect(run.file('fails.test.ts')).toMatchObject({ status: 'failed' })
  expect(run.output).toMatch(
    /"is expected to fail and makes an unexpected call" broke a promise[^]*PaymentGateway\.charge was called/,
  )
})

test('what a retry hid is reported at the end of the run', () => {
  expect(run.file('retry.test.ts')).toMatchObject({ status: 'passed' })
  expect(run.test('is flaky').meta.vivarium?.closeFailures).toEqual([expect.stringContaining('MOCK_CALL_MISSING')])
  expect(run.output).toMatch(/a retry hid it\n {2}retry\.test\.ts > is flaky\n {4}PaymentGateway: an expected call/)
})

test('what beforeAll stubbed serves the file’s tests, concurrent ones as well, and each test’s own comes first', () => {
  expect(run.file('file.test.ts')).toMatchObject({ status: 'passed', assertionResults: { length: 4 } })
})

test('what beforeAll expected is verified at the end of the file', () => {
  expect(run.file('unmet-in-file.test.ts')).toMatchObject({ status: 'failed' })
  expect(run.test('makes one of two calls')).toMatchObject({ status: 'passed' })
  expect(run.output).toMatch(/called once, expected 2 times at unmet-in-file\.test\.ts/)
})

test('an expectation is named by its place in the source', () => {
  const source = (head + files['place.test.ts']).split('\n')
  const line = source.findIndex((text) => text.includes('HERE')) + 1
  expect(run.test('expects in vain').failureMessages.join('\n')).toContain(`at place.test.ts:${line}:`)
})

test('the code that the runner shows is the expectation that was not met, and the call that nobody expected', () => {
  expect(run.output).toMatch(/❯ place\.test\.ts:\d+:\d+\n[^]{0,400}key: 'HERE'/)
  expect(run.output).toMatch(/❯ (\w+ )?app\.ts:\d+:\d+\n[^]{0,600}return gateway\.charge/)
})

test.each(['mjs', 'cjs'])('the packed copy works from a script.%s', async (extension) => {
  const folder = installed.writeProject(`script-${extension}`, {
    'script.mjs': `
      import { openVivarium } from 'vivarium'
      import { defineMock } from 'vivarium/mock'
      ${script}
      console.log(JSON.stringify(seen))`,
    'script.cjs': `
      const { openVivarium } = require('vivarium')
      const { defineMock } = require('vivarium/mock')
      async function main() { ${script}; console.log(JSON.stringify(seen)) }
      main().catch((error) => { console.error(error); process.exitCode = 1 })`,
  })
  const { stdout, stderr } = await runNode([`script.${extension}`], { cwd: folder })
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual({ added: 2, calls: [['add', [1], 2]], failures: ['MOCK_CALL_MISSING'] })
})

test('an ES module’s mock and a CommonJS one share the sandbox', async () => {
  const folder = installed.writeProject('both', {
    'both.mjs': `
      import { createRequire } from 'node:module'
      import { openVivarium } from 'vivarium'
      import { defineMock } from 'vivarium/mock'
      const copy = createRequire(import.meta.url)('vivarium/mock')
      const vivarium = await openVivarium({})
      const sandbox = await vivarium.openSandbox()
      const [one, other] = [defineMock('One'), copy.defineMock('Other')]
      for (const mock of [one, other, one]) {
        mock.stub.call(() => 1)
        mock.double.call()
      }
      other.expect.call()
      console.log(JSON.stringify([sandbox.calls.map(({ mock }) => mock), other.double.call.mock.invocationCallOrder]))
      console.log(await sandbox.close().catch((error) => error.errors.map(({ code }) => code).join()))
      await vivarium.close()`,
  })
  const { stdout, stderr } = await runNode(['both.mjs'], { cwd: folder })
  expect(stderr).toBe('')
  expect(stdout.trim().split('\n')).toEqual(['[["One","Other","One"],[2]]', 'MOCK_CALL_MISSING'])
})

test('describeContract works with node:test', async () => {
  const folder = installed.writeProject('node-test', {
    'counter.test.mjs': `
      import assert from 'node:assert/strict'
      import { after, describe, test } from 'node:test'
      import { openVivarium } from 'vivarium'
      import { defineMock, describeContract } from 'vivarium/mock'
      const vivarium = await openVivarium({})
      const sandbox = await vivarium.openSandbox()
      after(() => vivarium.close())
      const counter = defineMock('Counter')
      const double = () => {
        counter.stub.add((a, b) => a - b)
        return counter.double
      }
      describeContract('Counter', { real: () => ({ add: (a, b) => a + b }), double }, (open) => {
        test('adds', async () => assert.equal((await open()).add(1, 2), 3))
      }, { describe })`,
  })
  const { code, stdout } = await runNode(['--test', '--test-reporter=tap', 'counter.test.mjs'], { cwd: folder })
  expect(code).toBe(1)
  expect(stdout).toMatch(
    /\n {4}ok 1 - adds\n[^]*ok 1 - Counter: the real one\n[^]*not ok 1 - adds\n[^]*not ok 2 - Counter: the double/,
  )
})
