import { afterAll, beforeAll, expect, test } from 'vitest'
import { installPackage, type InstalledPackage } from '../support/installed-package.ts'
import { runNode } from '../support/run-process.ts'
import { runVitest, type VitestOutcome } from '../support/run-vitest.ts'

const head = `
  import { beforeAll, expect, test } from 'vitest'
  import { charge, stripe } from './app'
`

const files: Readonly<Record<string, string>> = {
  'concurrent.test.ts': `
    const amounts = Array.from({ length: 100 }, (_, index) => index)
    test.concurrent.for(amounts)('charges %i', async (amount) => {
      stripe.expect('POST /v1/charges', { json: { amount } }).times(2).replies({ json: { id: 'ch_' + amount } })
      await new Promise((resolve) => setTimeout(resolve, amount % 7))
      expect(await charge(amount)).toBe('ch_' + amount)
      await new Promise((resolve) => setImmediate(resolve))
      expect(await charge(amount)).toBe('ch_' + amount)
    })
    test.concurrent('one of them breaks a promise', async () => {
      stripe.expect('POST /v1/charges', { json: { amount: 777 } })
    })`,
  'caught.test.ts': `
    test('catches an unexpected request', async () => {
      expect(await charge(5).catch(() => 'another way')).toBe('another way')
    })
    test('comes after it', async () => {
      stripe.stub('POST /v1/charges').replies({ json: { id: 'ch_1' } })
      expect(await charge(5)).toBe('ch_1')
    })`,
  'fails.test.ts': `
    test.fails('is expected to fail and makes an unexpected request', async () => {
      await charge(5).catch(() => {})
      expect(1).toBe(2)
    })`,
  'file.test.ts': `
    beforeAll(() => {
      stripe.stub('POST /v1/charges').replies({ json: { id: 'of the file' } })
    })
    test('is served by the file', async () => expect(await charge(1)).toBe('of the file'))
    test('has its own', async () => {
      stripe.expect('POST /v1/charges').replies({ json: { id: 'of the test' } })
      expect(await charge(1)).toBe('of the test')
    })
    test('is served by the file again', async () => expect(await charge(1)).toBe('of the file'))
    test.concurrent('is served by the file, concurrent', async () => expect(await charge(1)).toBe('of the file'))`,
  'plain.test.ts': `
    test('knows nothing of any service', async () => {
      const { get } = await import('node:https')
      const error = await new Promise((resolve) => get('https://elsewhere.test/', (response) => resolve(response.statusCode)))
      expect(error).toBe(501)
    })`,
}

const app: Readonly<Record<string, string>> = {
  'app.ts': `
    import { defineService } from 'vivarium/http'
    export const stripe = defineService('Stripe', 'https://api.stripe.com')
    export async function charge(amount: number): Promise<string> {
      const response = await fetch('https://api.stripe.com/v1/charges', { method: 'POST', body: JSON.stringify({ amount }) })
      if (!response.ok) throw new Error('not charged')
      return ((await response.json()) as { id: string }).id
    }
  `,
  'vitest.config.ts': `
    import { defineConfig } from 'vitest/config'
    import { vivarium } from 'vivarium/vitest'
    export default defineConfig({ plugins: [vivarium({ http: {} })] })
  `,
}

const script = `
  const seen = {}
  const vivarium = await openVivarium({})
  const sandbox = await vivarium.openSandbox({ title: 'a script' })
  const service = defineService('Example', 'https://api.example.test')
  service.expect('GET /x').replies(slow(5, { json: 1 }))
  seen.answer = await (await fetch('https://api.example.test/x')).json()
  seen.requests = sandbox.requests.map(({ method, url, status }) => [method, url, status])
  service.expect('GET /y')
  seen.failures = await sandbox.close().catch((error) => error.errors.map(({ code }) => code))
  await vivarium.close()
`

let installed: InstalledPackage
let run: VitestOutcome

beforeAll(async () => {
  installed = await installPackage()
  const tests = Object.entries(files).map(([name, text]) => [name, head + text])
  // It is to know nothing of the service: without the import.
  const plain = { 'plain.test.ts': `import { expect, test } from 'vitest'\n${files['plain.test.ts']}` }
  const project = installed.writeProject('project', { ...app, ...Object.fromEntries(tests), ...plain })
  run = await runVitest(project, { env: { VIVARIUM_CACHE_DIR: installed.cacheFolder }, deadlineMs: 50_000 })
})
afterAll(() => installed[Symbol.asyncDispose]())

test('one hundred concurrent tests of one file with the same URL do not see each other', () => {
  const titles = run.tests.filter(({ title }) => title.startsWith('charges '))
  expect(titles).toHaveLength(100)
  expect(titles.filter(({ status }) => status !== 'passed')).toEqual([])
  const broken = run.test('one of them breaks a promise')
  expect(broken.failureMessages.join('\n')).toContain('Stripe: POST /v1/charges did not come')
})

test('a request that the application swallowed fails its test, and no other', () => {
  const { status, failureMessages } = run.test('catches an unexpected request')
  expect(status).toBe('failed')
  expect(failureMessages.join('\n')).toMatch(/A request to Stripe came that nothing expects[^]*\{"amount":5\}/)
  expect(run.test('comes after it').status).toBe('passed')
})

test('what fails a test fails the run, though the test is expected to fail', () => {
  const file = run.file('fails.test.ts')
  expect(`${file.message}${run.output}`).toMatch(/broke a promise of its sandbox and is expected to fail/)
  expect(run.code).toBe(1)
})

test('stubs of beforeAll serve the tests of the file, concurrent ones as well', () => {
  for (const title of [
    'is served by the file',
    'has its own',
    'is served by the file again',
    'is served by the file, concurrent',
  ]) {
    expect(run.test(title).failureMessages).toEqual([])
  }
})

test('with the option `http` a file that defines no service is intercepted as well', () => {
  const { status, failureMessages } = run.test('knows nothing of any service')
  expect(status).toBe('failed')
  expect(failureMessages.join('\n')).toMatch(/A request came that nothing expects:\s+GET https:\/\/elsewhere.test\//)
})

test.each([
  [
    'script.mjs',
    `import { openVivarium } from 'vivarium'\nimport { defineService, slow } from 'vivarium/http'\n${script}`,
  ],
  [
    'script.cjs',
    `const { openVivarium } = require('vivarium')\nconst { defineService, slow } = require('vivarium/http')\nvoid (async () => {${script}console.log(JSON.stringify(seen)) })()`,
  ],
  [
    'both.mjs',
    `import { openVivarium } from 'vivarium'\nimport { createRequire } from 'node:module'\nconst { defineService, slow } = createRequire(import.meta.url)('vivarium/http')\n${script}`,
  ],
])('services are expected and answered from %s', async (name, text) => {
  const folder = installed.writeProject('scripts', {
    [name]: name.endsWith('.mjs') ? `${text}console.log(JSON.stringify(seen))` : text,
  })
  const { stdout, stderr } = await runNode([name], { cwd: folder })
  expect(JSON.parse(stdout || 'null'), stderr).toEqual({
    answer: 1,
    requests: [['GET', 'https://api.example.test/x', 200]],
    failures: ['HTTP_REQUEST_MISSING'],
  })
})
