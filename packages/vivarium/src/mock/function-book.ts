import type { CallSite } from '../core/call-site.ts'
import { differences, type Difference } from '../core/differences.ts'
import type { Call } from './call.ts'

/** Answers a call: an implementation as the runtime sees it. */
export type AnyImplementation = (...args: readonly unknown[]) => unknown

/** Calls that are expected one after the other, or, where `count` is 0, forbidden. */
export interface ExpectedCalls {
  readonly site: CallSite
  /** Its place among everything that was said about the function, from 1. */
  readonly order: number
  /** `undefined`: whatever the arguments. */
  readonly args: readonly unknown[] | undefined
  count: number
  came: number
  /** `undefined`: the stub answers. */
  answer: AnyImplementation | undefined
}

/** What answers any number of calls. */
export interface Stub {
  readonly site: CallSite
  readonly order: number
  readonly answer: AnyImplementation
}

/** What a call is, by what was said about its function. */
export type Decision =
  | { readonly kind: 'expected'; readonly by: ExpectedCalls }
  | { readonly kind: 'stubbed'; readonly by: Stub }
  | { readonly kind: 'forbidden'; readonly by: ExpectedCalls }
  /** Another call is expected next. */
  | { readonly kind: 'differs'; readonly next: ExpectedCalls }
  /** As many as were expected have come. */
  | { readonly kind: 'too-many' }
  /** Nothing was said about the function. */
  | { readonly kind: 'unknown' }

/** What was said about one function in one sandbox, and what was called. */
export class FunctionBook {
  readonly expected: ExpectedCalls[] = []
  /** Calls made in this sandbox. */
  readonly calls: Call[] = []
  /** Calls judged by this book: also those of sandboxes inside of this one, where nothing else was said. */
  readonly judged: Call[] = []
  /** Called when something expected has come. */
  readonly listeners: Set<() => void> = new Set()
  stub: Stub | undefined
  #said = 0

  /** Something was said about the function here. */
  get isUsed(): boolean {
    return this.#said > 0
  }

  expect(site: CallSite, args: readonly unknown[] | undefined): ExpectedCalls {
    const expected: ExpectedCalls = { site, order: ++this.#said, args, count: 1, came: 0, answer: undefined }
    this.expected.push(expected)
    return expected
  }

  stubWith(site: CallSite, answer: AnyImplementation): void {
    this.stub = { site, order: ++this.#said, answer }
  }

  get unmet(): readonly ExpectedCalls[] {
    return this.expected.filter(({ count, came }) => came < count)
  }

  decide(args: readonly unknown[]): Decision {
    const forbidding = this.expected.find((one) => isForbidden(one) && one.args !== undefined && accepts(one, args))
    if (forbidding !== undefined) return { kind: 'forbidden', by: forbidding }
    const [next] = this.unmet
    if (next !== undefined) return accepts(next, args) ? { kind: 'expected', by: next } : { kind: 'differs', next }
    if (this.stub !== undefined && this.#isInForce(this.stub)) return { kind: 'stubbed', by: this.stub }
    const forbiddenAll = this.expected.findLast((one) => isForbidden(one) && one.args === undefined)
    if (forbiddenAll !== undefined) return { kind: 'forbidden', by: forbiddenAll }
    return { kind: this.expected.some(({ count }) => count > 0) ? 'too-many' : 'unknown' }
  }

  /** Notes that an expected call has come. */
  take(expected: ExpectedCalls): void {
    expected.came++
    for (const listener of this.listeners) listener()
  }

  /** A stub ends where something is expected after it; to forbid certain arguments leaves it the others. */
  #isInForce({ order }: Stub): boolean {
    return !this.expected.some((one) => one.order > order && !(isForbidden(one) && one.args !== undefined))
  }
}

/** Where `args` are not as expected; none where they are. */
export function argumentDifferences(
  { args: expected }: ExpectedCalls,
  args: readonly unknown[],
): readonly Difference[] {
  return expected === undefined ? [] : differences(trimmed(expected), trimmed(args), 'args')
}

function accepts(expected: ExpectedCalls, args: readonly unknown[]): boolean {
  return argumentDifferences(expected, args).length === 0
}

function isForbidden({ count }: ExpectedCalls): boolean {
  return count === 0
}

/** `charge(request)` and `charge(request, undefined)` are one call. */
function trimmed(args: readonly unknown[]): readonly unknown[] {
  return args.slice(0, args.findLastIndex((arg) => arg !== undefined) + 1)
}
