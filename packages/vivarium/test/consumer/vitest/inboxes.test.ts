import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installPackage, type InstalledPackage } from '../support/installed-package.ts'
import { runVitest, type VitestOutcome } from '../support/run-vitest.ts'
import { app } from './app.ts'

const files = {
  'vitest.config.ts': app['vitest.config.ts']!,
  'vivarium.config.ts': `
    import { defineConfig } from 'vivarium'
    export default defineConfig({})`,
  'inbox.test.ts': `
    import { EventEmitter } from 'node:events'
    import { beforeAll, expect, test, vi } from 'vitest'
    import { currentSandbox } from 'vivarium'
    import { fromEmitter, openInbox } from 'vivarium/pubsub'

    const orders = new EventEmitter()
    let ofTheFile
    beforeAll(async () => {
      ofTheFile = await openInbox(fromEmitter(orders, 'paid'), { name: 'of the file' })
      orders.emit('paid', 'in beforeAll')
    })
    test('the matchers are there', async () => {
      const inbox = await openInbox(fromEmitter(orders, 'paid', 'sent'))
      const seen = await currentSandbox().observe(() => orders.emit('paid', { id: 17 }))
      await expect(inbox).toReceive({ id: expect.any(Number) })
      await expect([inbox, ofTheFile]).toReceive({ id: 17 }, { topic: 'paid', times: 1 })
      await expect(inbox).toReceiveInOrder([{ id: 17 }])
      await expect(inbox).toReceiveNothing({ within: 1 })
      expect(seen.messages).toHaveLength(2)
      expect(currentSandbox().messages).toEqual(seen.messages)
    })
    test('an inbox of the file shows a test what arrived in it', async () => {
      orders.emit('paid', { id: 18 })
      expect(ofTheFile.messages.map(({ payload }) => payload)).toEqual([{ id: 18 }])
      await expect(ofTheFile).toReceive({ id: 18 })
      await expect(ofTheFile).toReceiveNothing({ within: 1 })
    })
    test('faked timers do not hold up an assertion', async () => {
      vi.useFakeTimers()
      await expect(ofTheFile).toReceiveNothing({ within: 1 })
      vi.useRealTimers()
    })
    test('a mismatch', async () => {
      orders.emit('paid', { id: 19 })
      await expect(ofTheFile).toReceive({ id: 20 }, { within: 1 })
    })
    test('one too many', async () => {
      orders.emit('paid', { id: 19 })
      await expect(ofTheFile).not.toReceive({ id: 19 })
    })
    test('not awaited', () => {
      expect(ofTheFile).toReceive('never', { within: 60_000 }).catch(() => undefined)
    })`,
  'concurrent.test.ts': `
    import { EventEmitter } from 'node:events'
    import { beforeAll, expect, test } from 'vitest'
    import { fromEmitter, openInbox } from 'vivarium/pubsub'
    const bus = new EventEmitter()
    let inbox
    beforeAll(async () => { inbox = await openInbox(fromEmitter(bus, 'message')) })
    test.concurrent.for(Array.from({ length: 5 }, (_, index) => index))('%i alone', async (index) => {
      await new Promise((resolve) => setImmediate(resolve))
      bus.emit('message', index)
      await new Promise((resolve) => setImmediate(resolve))
      expect(inbox.messages.map(({ payload }) => payload)).toEqual([index])
      await expect(inbox).toReceive(index)
    })`,
}

let installed: InstalledPackage
let outcome: VitestOutcome

beforeAll(async () => {
  installed = await installPackage()
  outcome = await runVitest(installed.writeProject('inboxes', files))
})
afterAll(() => installed?.[Symbol.asyncDispose]())

test('the matchers are registered, and inboxes of a file show each test its own', () => {
  const failed = outcome.tests.filter(({ status }) => status !== 'passed')
  expect(failed.map(({ title, failureMessages }) => [title, failureMessages.join('\n')])).toEqual([
    ['a mismatch', expect.stringContaining('payload.id: expected 20, received 19')],
    ['one too many', expect.stringContaining('Expected no such message, and 1 was received.')],
    ['not awaited', expect.stringContaining('toReceive() of of the file was still waiting when sandbox')],
  ])
  expect(outcome.tests).toHaveLength(11)
})

test('what every worker loads has nothing of it: it is loaded by the first assertion', () => {
  const runtime = readFileSync(
    join(installed.folder, 'node_modules/vivarium/dist/esm/vitest/worker-runtime.js'),
    'utf8',
  )
  const found = ['import("../pubsub/index.js")', 'was still waiting when sandbox'].map((text) => runtime.includes(text))
  expect(found).toEqual([true, false])
})
