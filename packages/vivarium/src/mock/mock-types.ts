import type { ValueMatcher } from '../core/print-value.ts'
import type { StandardSchema } from './standard-schema.ts'

/** Any function, as a constraint. */
export type AnyFunction = (...args: never[]) => unknown

/** The names of a contract's functions. */
export type FunctionNames<T> = {
  [K in keyof T]-?: NonNullable<T[K]> extends AnyFunction ? K : never
}[keyof T] &
  string

/** The function of a contract, also where it is optional. */
export type FunctionOf<T, K extends keyof T> = Extract<NonNullable<T[K]>, AnyFunction>

/** What can take the part of a function. Of an overloaded one it is the last signature. */
export type Implementation<F extends AnyFunction> = (...args: Parameters<F>) => ReturnType<F>

/** A value, or a matcher (`expect.any(String)`) in its place or anywhere inside of it. */
export type Expected<T> = T | ValueMatcher | (T extends object ? ExpectedProperties<T> : never)

type ExpectedProperties<T extends object> = T extends AnyFunction | Date | RegExp | ArrayBufferView | Promise<unknown>
  ? never
  : number extends (T extends readonly unknown[] ? T['length'] : never)
    ? // Written out, since a mapped array is looked into at once: for a list of lists of itself (JSON) that has no end.
      readonly Expected<(T & readonly unknown[])[number]>[]
    : { readonly [K in keyof T]: Expected<T[K]> }

/** `stub.charge(implementation)` */
export type Stubs<T> = { readonly [K in FunctionNames<T>]: Stub<FunctionOf<T, K>> }

/** `expect.charge({ amountCents: 100 })` */
export type Expectations<T> = { readonly [K in FunctionNames<T>]: Expect<FunctionOf<T, K>> }

/** `deny.refund()` */
export type Denials<T> = { readonly [K in FunctionNames<T>]: Deny<FunctionOf<T, K>> }

type Stub<F extends AnyFunction> = (implementation: Implementation<F>) => void

interface Expect<F extends AnyFunction> {
  /** Expects one call with these arguments; matchers are allowed in them at any depth. */
  (...args: ExpectedArguments<Parameters<F>>): Expectation<F>
  /** Expects one call, whatever its arguments. */
  (): Expectation<F>
}

interface Deny<F extends AnyFunction> {
  /** Fails the test at a call with these arguments. */
  (...args: ExpectedArguments<Parameters<F>>): void
  /** Fails the test at any call. */
  (): void
}

type ExpectedArguments<A extends readonly unknown[]> = { [I in keyof A]: Expected<A[I]> }

/** What a promise resolves to; `never` where a function returns none. */
type Resolved<F extends AnyFunction> =
  Extract<ReturnType<F>, PromiseLike<unknown>> extends PromiseLike<infer V> ? V : never

/** A value that may be left out where nothing is returned. */
type Answer<V> = [V] extends [undefined | void] ? [value?: V] : [value: V]

/** An expected call, and how it is answered. Without an answer of its own the function's stub answers it. */
export type Expectation<F extends AnyFunction> = ExpectationVerbs<F> &
  ([ReturnType<F>] extends [PromiseLike<unknown>] ? AsyncAnswers<F> : SyncAnswers<F> & MaybeAsyncAnswers<F>)

type MaybeAsyncAnswers<F extends AnyFunction> =
  Extract<ReturnType<F>, PromiseLike<unknown>> extends never ? unknown : AsyncAnswers<F>

interface ExpectationVerbs<F extends AnyFunction> {
  /** How many such calls are expected, one after the other. @default 1; 0 forbids them */
  times(count: number): Expectation<F>
  /** Answers with what `implementation` returns for the call's arguments. */
  answers(implementation: Implementation<F>): Expectation<F>
  /**
   * Resolves when all of its calls have come. Rejects with `MOCK_CALL_TIMEOUT` when they have not, `within` milliseconds
   * from now (default 1000), with the calls that did come.
   */
  called(options?: { readonly within?: number }): Promise<void>
}

interface AsyncAnswers<F extends AnyFunction> {
  /** Answers with a promise of `value`. */
  resolves(...value: Answer<Resolved<F>>): Expectation<F>
  /** Answers with a promise that is rejected with `error`. */
  rejects(error: unknown): Expectation<F>
}

interface SyncAnswers<F extends AnyFunction> {
  /** Answers with `value`. */
  returns(...value: Answer<ReturnType<F>>): Expectation<F>
  /** Answers by throwing `error`. */
  throws(error: unknown): Expectation<F>
}

/** What the runtime knows of one function, to check calls and answers by. Values are checked, never changed. */
export interface FunctionContract<F extends AnyFunction> {
  /** A schema of all arguments (a tuple), or one for each. */
  readonly args?: StandardSchema | SchemaEach<Required<Parameters<F>>>
  /** A schema of what is returned; of an async function, of what that resolves to. */
  readonly result?: StandardSchema
}

type SchemaEach<A extends readonly unknown[]> = { readonly [I in keyof A]: StandardSchema }

type FunctionContracts<T> = { readonly [K in FunctionNames<T>]: FunctionContract<FunctionOf<T, K>> }

/**
 * What the runtime knows of a contract. `mirrors` is a real implementation, a class or an instance (or a list of them, for a mock of
 * several contracts): a function that it lacks is refused, and so is a call with more arguments than it takes. `functions` has
 * schemas of arguments and results; without `mirrors` it names every function, with `{}` where there is nothing to check.
 */
export type MockContract<T> =
  | { readonly mirrors: Mirrored<T>; readonly functions?: Partial<FunctionContracts<T>> }
  | { readonly mirrors?: undefined; readonly functions: FunctionContracts<T> }

type Mirrored<T> = T | (abstract new (...args: never[]) => T) | readonly object[]

/** Options of `defineMock`. */
export interface MockOptions<T> {
  /** What calls and answers are checked by when they happen. @default the types alone */
  readonly contract?: MockContract<T>
  /** The contract's properties that are no functions, the same in every sandbox. */
  readonly values?: Partial<Omit<T, FunctionNames<T>>>
  /** Milliseconds that a closing sandbox waits for calls that have not ended. @default 100 */
  readonly settleMs?: number
}

/** Options of `defineMockFunction`. */
export interface MockFunctionOptions<F extends AnyFunction> {
  /** What calls and answers are checked by when they happen. @default the types alone */
  readonly contract?: FunctionContract<F> & { readonly mirrors?: F }
  /** Milliseconds that a closing sandbox waits for calls that have not ended. @default 100 */
  readonly settleMs?: number
}

/** What a mock has, of whatever it is one. */
interface AnyMock {
  readonly name: string
  /** Throws `MOCK_CALL_MISSING` when expected calls have not come yet. The sandbox's close asks, whether or not a test does. */
  verify(): void
  /**
   * `fn`, to be called in another flow (a worker's loop, a listener) as a part of this sandbox: what it calls, it calls
   * here. A flow that has expectations of its own is refused with `MOCK_FLOW_REFUSED`.
   */
  allow<A extends readonly unknown[], R>(fn: (...args: A) => R): (...args: A) => R
}

/** A double of a contract, and what a test says about it. Everything said belongs to the sandbox in which it is said. */
export interface Mock<T> extends AnyMock {
  /** What the application is given, once. Its functions are mock functions for `expect(…).toHaveBeenCalledWith(…)` as well. */
  readonly double: T
  /** Answers any number of calls, none included: `stub.charge(async () => …)`. A later stub replaces an earlier one. */
  readonly stub: Stubs<T>
  /** Expects a call, after those already expected of that function: `expect.charge({ … }).resolves({ … })`. */
  readonly expect: Expectations<T>
  /** Forbids calls: `deny.refund()`. */
  readonly deny: Denials<T>
  /** Stubs every function with that of a whole implementation; each can be replaced by one of its own afterwards. */
  stubAll(implementation: Pick<T, FunctionNames<T>>): void
}

/** A double of one function, and what a test says about it: {@link Mock} without the function's name in the verbs. */
export interface MockFunction<F extends AnyFunction> extends AnyMock {
  readonly double: F
  readonly stub: Stub<F>
  readonly expect: Expect<F>
  readonly deny: Deny<F>
}
