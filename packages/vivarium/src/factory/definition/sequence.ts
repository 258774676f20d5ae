import { openOncePerWorker } from '../../core/registry.ts'
import { SandboxFactory } from '../engine/sandbox-factory.ts'

/** Where a sequence starts. */
export interface SequenceOptions {
  /** The first number. @default 1 */
  readonly start?: number
}

const brand = Symbol.for('vivarium.factory.sequence')

/** A value that is another one for each row. Every sandbox counts for itself; one nested in another goes on from there. */
export class Sequence<V> {
  readonly #make: (number: number) => V
  readonly #start: number
  readonly #key: string

  constructor(make: (number: number) => V, start: number) {
    Object.defineProperty(this, brand, { value: true })
    this.#make = make
    this.#start = start
    const all = openOncePerWorker('factory: sequences', () => ({ count: 0 }))
    this.#key = `sequence ${++all.count}`
  }

  /** The next value in the current sandbox. Throws `NO_SANDBOX` where there is none. */
  next(): V {
    return this.#make(this.#start - 1 + SandboxFactory.current().counters.next(this.#key))
  }

  /** Begins again in the current sandbox: at its start, or at another number. */
  reset(start: number = this.#start): void {
    SandboxFactory.current().counters.set(this.#key, start - this.#start)
  }
}

/** Tells a sequence, whichever copy of this module made it. */
export function isSequence(value: unknown): value is Sequence<unknown> {
  return typeof value === 'object' && value !== null && brand in value
}

/**
 * A value that is another one for each row: made of a number, or taken from a list, over and over. Each sandbox begins at the start, so that a test sees
 * the same values whatever ran before it.
 *
 * @example
 * ```ts
 * import { defineFactories, sequence } from 'vivarium/factory'
 *
 * const factories = defineFactories().define('user', 'users', {
 *   defaults: { email: sequence((n) => `user${n}@example.com`), role: sequence(['admin', 'member']) },
 * })
 * ```
 */
export function sequence<V>(make: (number: number) => V, options?: SequenceOptions): Sequence<V>
export function sequence<const V>(values: readonly V[], options?: SequenceOptions): Sequence<V>
export function sequence<V>(
  source: ((number: number) => V) | readonly V[],
  { start = 1 }: SequenceOptions = {},
): Sequence<V> {
  if (typeof source === 'function') return new Sequence(source, start)
  const { length } = source
  return new Sequence((number) => source[(number - 1) % length] as V, start)
}
