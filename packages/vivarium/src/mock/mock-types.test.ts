import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { defineMock, defineMockFunction, type Expectation, type Mock } from './index.ts'

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

interface Store {
  keep(value: Json): Promise<void>
  get(key: string): Promise<string | undefined>
  set(key: string, value: { count: number }, ttlSeconds?: number): Promise<void>
  size(): number
  clear(): void
  find<T>(key: string): Promise<T[]>
  parse(text: string): number
  parse(text: string, strict: boolean): number | undefined
  optional?(key: string): boolean
  maybe(): string | Promise<string>
  readonly version: string
}

declare const store: Mock<Store>
declare const any: { asymmetricMatch(other: unknown): boolean }

// Compiled, never run: every line that is marked must fail to compile.
function typed(): void {
  expectTypeOf(store.double).toEqualTypeOf<Store>()

  store.expect.get('a').resolves('b')
  store.expect.get('a').resolves(undefined)
  store.expect.get(any).rejects(new Error('down'))
  store.expect
    .get()
    .times(2)
    .answers(async (key) => key)
  store.expect.set('a', { count: any }, any).resolves()
  store.expect.set('a', any).resolves()
  store.expect.keep([1, [{ a: any }], any]).resolves()
  store.deny.keep()
  store.expect.size().returns(1)
  store.expect.clear().returns()
  store.expect.find('a').resolves([1])
  store.expect.parse('a', true).returns(undefined)
  store.expect.optional('a').returns(true)
  store.expect.maybe().returns('a')
  store.expect.maybe().resolves('a')
  store.deny.get('a')
  store.deny.get()
  store.stub.get(async () => 'b')
  store.stub.get(async (key) => key)
  store.stub.find(async () => [])
  expectTypeOf(store.expect.size()).toEqualTypeOf<Expectation<Store['size']>>()
  expectTypeOf(store.expect.size().called({ within: 5 })).toEqualTypeOf<Promise<void>>()
  expectTypeOf(store.allow((id: number) => `${id}`)).toEqualTypeOf<(id: number) => string>()

  // @ts-expect-error: no such function
  store.expect.gte('a')
  // @ts-expect-error: no such function
  store.stub.gte(async () => 'b')
  // @ts-expect-error: a property is no function
  store.expect.version()
  // @ts-expect-error: an argument of the wrong type
  store.expect.get(1)
  // @ts-expect-error: an argument too many
  store.expect.get('a', 'b')
  // @ts-expect-error: an argument missing
  store.expect.set('a')
  // @ts-expect-error: a wrong type inside of an argument
  store.expect.set('a', { count: '1' })
  // @ts-expect-error: an unknown property inside of an argument
  store.expect.set('a', { count: 1, total: 2 })
  // @ts-expect-error: an argument of the wrong type
  store.deny.get(1)
  // @ts-expect-error: resolves to the wrong type
  store.expect.get('a').resolves(1)
  // @ts-expect-error: something must be resolved to
  store.expect.find('a').resolves()
  // @ts-expect-error: an async function does not return a plain value
  store.expect.get('a').returns('b')
  // @ts-expect-error: a function that returns no promise does not resolve
  store.expect.size().resolves(1)
  // @ts-expect-error: … nor is it rejected
  store.expect.size().rejects(new Error('down'))
  // @ts-expect-error: returns the wrong type
  store.expect.size().returns('1')
  // @ts-expect-error: nothing is returned
  store.expect.clear().returns(1)
  // @ts-expect-error: a stub that returns the wrong type
  store.stub.get(async () => 1)
  // @ts-expect-error: a stub that is not async
  store.stub.get(() => 'b')
  // @ts-expect-error: a stub that takes the wrong type
  store.stub.get(async (key: number) => String(key))
  // @ts-expect-error: a stub that wants more arguments than there are
  store.stub.get(async (key: string, other: string) => key + other)
  // @ts-expect-error: an answer that wants another type
  store.expect.get('a').answers(async (key: number) => String(key))
  // @ts-expect-error: not the whole contract
  store.stubAll({ size: () => 1 })

  const notify = defineMockFunction<(userId: number) => Promise<void>>('notify')
  notify.expect(1).resolves()
  notify.expect(any).resolves()
  notify.stub(async () => {})
  expectTypeOf(notify.double).toEqualTypeOf<(userId: number) => Promise<void>>()
  // @ts-expect-error: an argument of the wrong type
  notify.expect('1')

  interface Two {
    a(x: number): string
    b(): void
  }
  defineMock<Two>('Two', { contract: { functions: { a: { args: [z.number()], result: z.string() }, b: {} } } })
  defineMock<Two>('Two', { contract: { functions: { a: { args: z.tuple([z.number()]) }, b: {} } } })
  // @ts-expect-error: without something to mirror every function is named
  defineMock<Two>('Two', { contract: { functions: { a: {} } } })
  // @ts-expect-error: no such function
  defineMock<Two>('Two', { contract: { functions: { a: {}, b: {}, c: {} } } })
  // @ts-expect-error: one schema for each argument
  defineMock<Two>('Two', { contract: { functions: { a: { args: [z.number(), z.string()] }, b: {} } } })
  class One {
    a(): string {
      return ''
    }
  }
  // @ts-expect-error: mirrors something else
  defineMock<Two>('Two', { contract: { mirrors: One } })
}

test('wrong functions, arities, arguments and results do not compile', () => {
  expectTypeOf(typed).toBeFunction()
})
