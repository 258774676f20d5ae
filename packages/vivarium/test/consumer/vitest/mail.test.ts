import { symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createRequire } from 'node:module'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installPackage, type InstalledPackage } from '../support/installed-package.ts'
import { runNode } from '../support/run-process.ts'
import { runVitest, type VitestOutcome } from '../support/run-vitest.ts'
import { app } from './app.ts'

const files = {
  'vitest.config.ts': app['vitest.config.ts']!,
  'vivarium.config.ts': `
    import { defineConfig } from 'vivarium'
    export default defineConfig({ mail: { env: { url: 'MAIL_URL', port: 'MAIL_PORT' } } })`,
  'mailer.ts': `
    import { createTransport } from 'nodemailer'
    export const transport = createTransport({ pool: true, host: '127.0.0.1', port: Number(process.env.MAIL_PORT) })`,
  'app.ts': `
    import { transport } from './mailer'
    export const welcome = (to: string) =>
      transport.sendMail({ from: 'shop@example.com', to, subject: 'Welcome', text: 'Hello\\n.\\nYour code is 123456' })`,
  'mail.test.ts': `
    import { connect } from 'node:net'
    import { beforeAll, expect, test, vi } from 'vitest'
    import { currentSandbox } from 'vivarium'
    import { codeIn } from 'vivarium/mail'
    import { welcome } from './app'

    beforeAll(() => welcome('before-all@example.com'))
    test('the matchers are there', async () => {
      expect(process.env.MAIL_URL).toBe('smtp://127.0.0.1:' + process.env.MAIL_PORT)
      expect(currentSandbox()).toHaveSentMails(0)
      const seen = await currentSandbox().observe(() => welcome('ada@example.com'))
      expect(seen).toHaveSentMail({ to: 'ada@example.com', text: expect.stringContaining('code') }, { times: 1 })
      expect(currentSandbox()).not.toHaveSentMail({ to: 'grace@example.com' })
      expect(codeIn(seen.mails[0], /\\d{6}/)).toBe('123456')
    })
    test('the next test has no mail of the one before it', () => expect(currentSandbox()).toHaveSentMails(0))
    test('faked timers do not hold up a mail', async () => {
      // Nodemailer itself stands still then; a client that asks for no timer does not.
      vi.useFakeTimers()
      const socket = connect(Number(process.env.MAIL_PORT), '127.0.0.1')
      const lines = ['EHLO x', 'MAIL FROM:<a@example.com>', 'RCPT TO:<fake@example.com>', 'DATA']
      socket.once('data', () => socket.write(lines.map((line) => line + '\\r\\n').join('')))
      socket.on('data', (text) => /^354/m.test(text) && socket.write('To: fake@example.com\\r\\n\\r\\n..\\r\\n.\\r\\n'))
      await currentSandbox().mail.received({ to: 'fake@example.com', text: '.\\n' }, { within: 3000 }).finally(() => vi.useRealTimers())
      socket.destroy()
    })
    test('a mismatch', async () => {
      await welcome('ada@example.com')
      expect(currentSandbox()).toHaveSentMail({ to: 'bob@example.com', subject: /Goodbye/ })
    })
    test('one too many', async () => {
      await welcome('ada@example.com')
      expect(currentSandbox()).not.toHaveSentMail({ to: /ada@/ })
    })`,
  'concurrent.test.ts': `
    import { expect, test, vi } from 'vitest'
    import { currentSandbox, perSandbox } from 'vivarium'
    import { welcome } from './app'

    vi.mock('./mailer', async () => {
      const { createTransport } = await import('nodemailer')
      return { transport: perSandbox((sandbox) => createTransport(sandbox.mail.url)) }
    })
    test.concurrent.for(Array.from({ length: 100 }, (_, index) => index))('mail %i', async (index, { expect }) => {
      await welcome(index + '@example.com')
      expect(currentSandbox().mails.map((mail) => mail.envelope.to)).toEqual([[index + '@example.com']])
    })`,
  'ambiguous.test.ts': `
    import { test } from 'vitest'
    import { welcome } from './app'
    test.concurrent('swallows the refusal', () => welcome('a@example.com').catch(() => undefined))
    test.concurrent('is beside it', async () => {})`,
  'tsconfig.json': JSON.stringify({
    compilerOptions: {
      module: 'preserve',
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      types: ['node'],
      target: 'es2023',
    },
    include: ['typed.ts', 'vitest.config.ts'],
  }),
  'typed.ts': `
    import { expect } from 'vitest'
    import { currentSandbox } from 'vivarium'
    expect(currentSandbox()).toHaveSentMail({ to: 'ada@example.com', subject: /x/ }, { times: 1 })
    expect(currentSandbox()).not.toHaveSentMails(1)
    // @ts-expect-error: no mail has this
    expect(currentSandbox()).toHaveSentMail({ subjet: 'x' })`,
  'core.cjs': `
    const { openVivarium } = require('vivarium')
    const { mailMatchers } = require('vivarium/mail')
    const { createTransport } = require('nodemailer')
    const run = async () => {
      const vivarium = await openVivarium({ mail: {} })
      const sandbox = await vivarium.openSandbox()
      await createTransport(vivarium.mail.url).sendMail({ from: 'a@example.com', to: 'b@example.com', subject: 'x' })
      console.log(mailMatchers.toHaveSentMail(sandbox, { subject: 'x' }).pass, sandbox.mails.length)
      await sandbox.close()
      await vivarium.close()
    }
    void run()`,
}

let installed: InstalledPackage
let project: string
let run: VitestOutcome

beforeAll(async () => {
  installed = await installPackage()
  const modules = join(installed.folder, 'node_modules')
  // What an application brings; neither an SMTP server nor a MIME parser is among it.
  symlinkSync(dirname(createRequire(import.meta.url).resolve('nodemailer/package.json')), join(modules, 'nodemailer'))
  project = installed.writeProject('project', files)
  run = await runVitest(project, { env: { VIVARIUM_CACHE_DIR: installed.cacheFolder }, deadlineMs: 60_000 })
}, 90_000)
afterAll(() => installed[Symbol.asyncDispose]())

test('the matchers are registered, and the environment written, with nothing in the test file', () => {
  expect(run.test('the matchers are there').status, run.output).toBe('passed')
  expect(run.test('the next test has no mail of the one before it').status).toBe('passed')
})

test('faked timers do not hold up a mail', () => {
  expect(run.test('faked timers do not hold up a mail').status, run.output).toBe('passed')
})

test('a failed assertion shows what was sent, in the runner’s report', () => {
  expect(run.test('a mismatch').failureMessages.join('\n')).toMatch(
    /No mail matched\.[\s\S]*to: expected 'bob@example\.com'\n\s+received ada@example\.com\n\s+subject: expected \/Goodbye\//,
  )
  expect(run.test('one too many').failureMessages.join('\n')).toMatch(/A mail was sent that should not have been/)
})

test('a hundred concurrent tests of an application with one transport each see their own mail', () => {
  const concurrent = run.tests.filter(({ title }) => /^mail \d+$/.test(title))
  expect(concurrent.map(({ status }) => status)).toEqual(Array.from({ length: 100 }, () => 'passed'))
})

test('mail on the stable URL while tests run at once is refused, and a refusal that nobody heard fails the file', () => {
  const file = run.file('ambiguous.test.ts')
  expect(file.message, run.output).toMatch(/STABLE_URL_AMBIGUOUS/)
  expect(file.status).toBe('failed')
})

test('the matchers’ types are there for whoever has the plugin in a configuration', async () => {
  const tsc = createRequire(import.meta.url)
    .resolve('typescript/package.json')
    .replace(/package\.json$/, 'bin/tsc')
  const types = ['--typeRoots', join(import.meta.dirname, '../../../../../node_modules/@types')]
  const outcome = await runNode([tsc, '-p', '.', ...types], { cwd: project })
  expect(outcome.stdout).toBe('')
  expect(outcome.code).toBe(0)
})

test('it works from CommonJS', async () => {
  const outcome = await runNode(['core.cjs'], { cwd: project })
  expect(outcome.stdout).toBe('true 1\n')
})
