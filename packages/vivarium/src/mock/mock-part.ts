import { withDeadline } from '../core/clock.ts'
import { VivariumError } from '../core/errors.ts'
import { findOwner, type SandboxOwner, type SandboxPart } from '../core/owner.ts'
import { Call } from './call.ts'
import { type MockDefinition, shortName } from './definition.ts'
import { FunctionBook } from './function-book.ts'
import { callsMissing, callsPending, checksPending, noSandbox } from './mock-errors.ts'

/** Everything about doubles in one sandbox. */
export class MockPart implements SandboxPart {
  readonly owner: SandboxOwner
  readonly #books: Map<MockDefinition, Map<string, FunctionBook>> = new Map()
  /** Calls that have not ended, and what their mocks grant them at close. */
  readonly #pending: Map<Call, { readonly definition: MockDefinition; readonly end: Promise<void> }> = new Map()
  /** Checks of values that take time, and the calls that they are of. */
  readonly #checks: Map<Promise<unknown>, { readonly definition: MockDefinition; readonly call: Call }> = new Map()
  #calls = 0

  constructor(owner: SandboxOwner) {
    this.owner = owner
  }

  /** The sandbox's part, made when it first meets a double. */
  static of(owner: SandboxOwner): MockPart {
    return owner.part('mock', (made) => new MockPart(made))
  }

  /** The part of this flow's sandbox; throws `NO_SANDBOX` where there is none. */
  static here(action: string): MockPart {
    const owner = findOwner()
    if (owner === undefined) throw noSandbox(action)
    return MockPart.of(owner)
  }

  /** What is known of a function here; made at its first use. */
  book(definition: MockDefinition, fn: string): FunctionBook {
    let books = this.#books.get(definition)
    if (books === undefined) this.#books.set(definition, (books = new Map()))
    let book = books.get(fn)
    if (book === undefined) books.set(fn, (book = new FunctionBook()))
    return book
  }

  /** The book of a function of which something is to be said. */
  bookToWrite(definition: MockDefinition, fn: string, action: string): FunctionBook {
    this.owner.assertOpen(action)
    definition.usedIn.add(this.owner)
    return this.book(definition, fn)
  }

  /** The book by which a call is judged: of the innermost sandbox in which something was said about the function. */
  judging(definition: MockDefinition, fn: string): FunctionBook {
    const own = this.book(definition, fn)
    if (own.isUsed) return own
    for (let { around } = this.owner; around !== undefined; around = around.around) {
      const book = around.knownPart<MockPart>('mock')?.book(definition, fn)
      if (book?.isUsed === true) return book
    }
    return own
  }

  hasExpectations(definition: MockDefinition): boolean {
    return [...(this.#books.get(definition)?.values() ?? [])].some(({ expected }) => expected.length > 0)
  }

  /** Records that a call has come. */
  begin(definition: MockDefinition, fn: string, args: readonly unknown[]): Call {
    const observed = { mock: definition.name, fn: shortName(definition, fn), args, at: this.owner.elapsed() }
    const call = new Call(observed, ++this.#calls)
    this.book(definition, fn).calls.push(call)
    this.owner.recorder.record(call.observed)
    return call
  }

  /** Keeps in mind that what `call` returned has not settled, until the returned function is called. */
  await(definition: MockDefinition, call: Call): () => void {
    let settled = (): void => {}
    const end = new Promise<void>((resolve) => (settled = resolve))
    this.#pending.set(call, { definition, end })
    return () => {
      this.#pending.delete(call)
      settled()
    }
  }

  /** Keeps in mind a check of a call that takes time. It must not reject. */
  awaitCheck(definition: MockDefinition, call: Call, check: Promise<unknown>): void {
    this.#checks.set(check, { definition, call })
    void check.then(() => this.#checks.delete(check))
  }

  async settle(): Promise<void> {
    if (this.#pending.size === 0 && this.#checks.size === 0) return
    const open = [...this.#pending.values(), ...this.#checks.values()]
    const ms = Math.max(...open.map(({ definition }) => definition.settleMs))
    const late = new VivariumError('MOCK_CALL_PENDING', { what: 'late', remedy: '' })
    try {
      await withDeadline(this.#ended(), ms, () => late)
    } catch (error) {
      if (error !== late) throw error
      if (this.#pending.size > 0) this.owner.recorder.fail(callsPending(this.owner, [...this.#pending.keys()], ms))
      const unchecked = new Set([...this.#checks.values()].map(({ call }) => call))
      if (unchecked.size > 0) this.owner.recorder.fail(checksPending(this.owner, [...unchecked], ms))
    }
  }

  /** Everything has ended, also what began meanwhile. */
  async #ended(): Promise<void> {
    while (this.#pending.size > 0 || this.#checks.size > 0) {
      await Promise.all([...[...this.#pending.values()].map(({ end }) => end), ...this.#checks.keys()])
    }
  }

  verify(): readonly unknown[] {
    return [...this.#books.keys()].flatMap((definition) => {
      definition.usedIn.delete(this.owner)
      return this.missing(definition) ?? []
    })
  }

  /** The error that lists what has not come of a mock's expected calls. */
  missing(definition: MockDefinition): VivariumError | undefined {
    const books = [...(this.#books.get(definition) ?? [])]
    return books.some(([, book]) => book.unmet.length > 0) ? callsMissing(this.owner, definition, books) : undefined
  }
}
