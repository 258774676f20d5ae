import { callSiteOf } from '../core/call-site.ts'
import { startWait } from '../core/awaited.ts'
import { VivariumError } from '../core/errors.ts'
import { fullName, type MockDefinition } from './definition.ts'
import type { AnyImplementation, ExpectedCalls, FunctionBook } from './function-book.ts'
import { callTimeout, functionUnknown } from './mock-errors.ts'
import { MockPart } from './mock-part.ts'

/** The form that an `Expectation` has, whatever function it is of. */
export class QueuedExpectation {
  readonly #definition: MockDefinition
  readonly #fn: string
  readonly #part: MockPart
  readonly #book: FunctionBook
  readonly #expected: ExpectedCalls

  constructor(definition: MockDefinition, fn: string, args: readonly unknown[], below: (...args: never[]) => unknown) {
    const action = `expect a call of ${fullName(definition, fn)}`
    assertKnown(definition, fn)
    this.#part = MockPart.here(action)
    this.#book = this.#part.bookToWrite(definition, fn, action)
    this.#expected = this.#book.expect(callSiteOf(below), args.length === 0 ? undefined : args)
    this.#definition = definition
    this.#fn = fn
  }

  times(count: number): this {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new VivariumError('CONFIG_INVALID', {
        what: `A call of ${fullName(this.#definition, this.#fn)} cannot be expected ${count} times.`,
        remedy: '`times` takes a whole number, 0 or more.',
      })
    }
    this.#expected.count = count
    return this
  }

  answers(implementation: AnyImplementation): this {
    this.#expected.answer = implementation
    return this
  }

  resolves(value?: unknown): this {
    return this.answers(async () => value)
  }

  rejects(error: unknown): this {
    return this.answers(async () => {
      throw error
    })
  }

  returns(value?: unknown): this {
    return this.answers(() => value)
  }

  throws(error: unknown): this {
    return this.answers(() => {
      throw error
    })
  }

  async called({ within = 1000 }: { readonly within?: number } = {}): Promise<void> {
    const { listeners } = this.#book
    await startWait({
      within,
      look: () => this.#expected.came >= this.#expected.count || undefined,
      late: () => {
        throw this.#late(within)
      },
      follow: (changed) => {
        listeners.add(changed)
        return () => void listeners.delete(changed)
      },
    }).outcome
  }

  #late(ms: number): VivariumError {
    const call = { definition: this.#definition, fn: this.#fn, owner: this.#part.owner, book: this.#book }
    return callTimeout(call, this.#expected, ms)
  }
}

/** Refuses a function that the runtime contract, where there is one, does not have. */
export function assertKnown(definition: MockDefinition, fn: string): void {
  if (definition.contract?.has(fn) === false) throw functionUnknown(definition, definition.contract, fn)
}
