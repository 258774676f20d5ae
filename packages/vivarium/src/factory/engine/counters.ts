/** Numbers that are counted within one sandbox; one nested in another goes on from where that one stands. */
export class Counters {
  readonly #around: Counters | undefined
  readonly #values = new Map<string, number>()

  constructor(around?: Counters) {
    this.#around = around
  }

  /** How far it has been counted. */
  get(key: string): number {
    return this.#values.get(key) ?? this.#around?.get(key) ?? 0
  }

  /** The next number, the first is 1. */
  next(key: string): number {
    const number = this.get(key) + 1
    this.#values.set(key, number)
    return number
  }

  /** Goes on behind `number`. */
  set(key: string, number: number): void {
    this.#values.set(key, number)
  }
}
