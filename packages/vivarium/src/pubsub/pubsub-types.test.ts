import { EventEmitter } from 'node:events'
import { expect as jestExpect } from 'expect'
import { expect, expectTypeOf, test } from 'vitest'
import { useSandboxes } from '../../test/support/sandboxes.ts'
import {
  type EventStream,
  fromEmitter,
  fromIterable,
  type Inbox,
  type Inboxes,
  inboxMatchers,
  openInbox,
  type ReceiveOptions,
} from './index.ts'

const sandboxes = await useSandboxes()

/** A stream as the types of a browser have it: no iterable. */
interface BrowserStream<T> {
  getReader(options: { mode: 'byob' }): { readonly byob: true }
  getReader(): {
    read(): Promise<{ done: true; value: T | undefined } | { done: false; value: T }>
    cancel(reason?: unknown): Promise<void>
  }
}

test('emitters with typed events, streams of both kinds and responses of both kinds are taken', () => {
  expect(fromEmitter(new EventEmitter<{ paid: [{ id: number }] }>(), 'paid').name).toBe('event paid')
  expect(fromEmitter(process, 'warning').name).toBe('event warning')
  expectTypeOf<Response>().toExtend<EventStream>()
  expectTypeOf<ReadableStream<Uint8Array>>().toExtend<EventStream>()
  expectTypeOf<BrowserStream<Uint8Array>>().toExtend<EventStream>()
  expectTypeOf<NodeJS.ReadableStream>().toExtend<EventStream>()
  async function* numbers(): AsyncGenerator<number> {
    yield 1
  }
  fromIterable(numbers(), { topic: (value) => value.toFixed(), payload: (value) => value + 1 })
  // @ts-expect-error no event is named
  fromEmitter(new EventEmitter())
})

test('one inbox, a list and an object of them can be asserted; options are checked', () => {
  expectTypeOf<Inbox>().toExtend<Inboxes>()
  expectTypeOf<{ ada: Inbox; grace: Inbox }>().toExtend<Inboxes>()
  expectTypeOf<readonly Inbox[]>().toExtend<Inboxes>()
  // @ts-expect-error no such option
  const options: ReceiveOptions = { timeout: 5 }
  expect(options).toBeDefined()
})

test('the matchers do in Jest’s expect what they do here', async () => {
  jestExpect.extend(inboxMatchers)
  await sandboxes.pass(async () => {
    const emitter = new EventEmitter()
    const inbox = await openInbox(fromEmitter(emitter, 'a'))
    emitter.emit('a', { id: 17 })
    const asserted = jestExpect(inbox) as unknown as Record<
      'toReceive',
      (expected: unknown, options?: object) => unknown
    >
    await asserted.toReceive({ id: jestExpect.any(Number) })
    await expect(asserted.toReceive({ id: 18 }, { within: 1 })).rejects.toThrow('payload.id: expected 18, received 17')
    const not = jestExpect(inbox).not as unknown as typeof asserted
    await expect(not.toReceive({ id: 17 })).rejects.toThrow('Expected no such message, and 1 was received.')
    await not.toReceive({ id: 18 }, { within: 1 })
  })
})
