import { now } from '../core/clock.ts'
import type { InjectedFault } from '../core/injected-fault.ts'
import type { ObservedCall } from '../core/interactions.ts'

/** How a call ended, in the words of the runners' mock functions. */
interface Ended<T extends string> {
  type: T | 'incomplete'
  value: unknown
}

/** One call of a double's function, from its beginning to its end. */
export class Call {
  /** What the sandbox records, plain data; it is written on until the call has ended. */
  readonly observed: ObservedCall
  /** Its place among all calls of doubles in its sandbox, from 1. */
  readonly order: number
  readonly returned: Ended<'return' | 'throw'> = { type: 'incomplete', value: undefined }
  readonly settled: Ended<'fulfilled' | 'rejected'> = { type: 'incomplete', value: undefined }
  readonly #observed: { -readonly [K in keyof ObservedCall]: ObservedCall[K] }
  readonly #startedAt: number = now()

  constructor(call: Pick<ObservedCall, 'mock' | 'fn' | 'args' | 'at'>, order: number) {
    this.#observed = { component: 'mock', ...call, outcome: 'pending', value: undefined, durationMs: undefined }
    this.observed = this.#observed
    this.order = order
  }

  /** A fault breaks it. */
  break(fault: InjectedFault): void {
    this.#observed.fault = fault
  }

  /** A value was returned; a promise goes on to {@link settle}. */
  return(value: unknown): void {
    Object.assign(this.returned, { type: 'return', value })
  }

  /** The function itself threw. */
  throw(error: unknown): void {
    Object.assign(this.returned, { type: 'throw', value: error })
    this.settle('rejected', error)
  }

  /** Nothing more comes of it. */
  settle(type: 'fulfilled' | 'rejected', value: unknown): void {
    Object.assign(this.settled, { type, value })
    this.#observed.outcome = type === 'fulfilled' ? 'returned' : 'threw'
    this.#observed.value = value
    this.#observed.durationMs = now() - this.#startedAt
  }
}
