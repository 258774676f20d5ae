import { startDeadline } from '../../core/clock.ts'
import type { Deadline } from '../../core/clock.ts'

/** A virtual connection that wants the session. */
export interface TurnTaker {
  /** The session is yours. */
  granted(): void
  /** The holder kept it and did nothing for too long. */
  expired(holder: TurnTaker): void
}

interface Waiter {
  readonly taker: TurnTaker
  idleMs: number
}

const sliceMs = 10

/**
 * Who holds the one real session: a virtual connection for one unit, or for its whole transaction. Others queue in
 * order. A waiter's deadline only runs while the holder has nothing in flight: a long statement is legal.
 */
export class Turns {
  #holder: TurnTaker | undefined
  readonly #waiters: Waiter[] = []
  readonly #waitMs: number
  readonly #isHolderBusy: () => boolean
  #ticking: Deadline | undefined

  constructor(waitMs: number, isHolderBusy: () => boolean) {
    this.#waitMs = waitMs
    this.#isHolderBusy = isHolderBusy
  }

  get holder(): TurnTaker | undefined {
    return this.#holder
  }

  get waiting(): readonly TurnTaker[] {
    return this.#waiters.map((waiter) => waiter.taker)
  }

  /** True when the session is the taker's at once; else it will hear `granted` or `expired`. */
  request(taker: TurnTaker): boolean {
    if (this.#holder === taker) return true
    if (this.#holder === undefined) {
      this.#holder = taker
      return true
    }
    this.#waiters.push({ taker, idleMs: 0 })
    this.#tick()
    return false
  }

  /** The taker neither holds nor waits any more. */
  release(taker: TurnTaker): void {
    const index = this.#waiters.findIndex((waiter) => waiter.taker === taker)
    if (index !== -1) this.#waiters.splice(index, 1)
    if (this.#holder !== taker) return
    this.#holder = this.#waiters.shift()?.taker
    this.#holder?.granted()
  }

  #tick(): void {
    if (this.#ticking !== undefined || this.#waiters.length === 0) return
    this.#ticking = startDeadline(sliceMs, () => {
      this.#ticking = undefined
      this.#expire()
      this.#tick()
    })
  }

  #expire(): void {
    const holder = this.#holder
    if (holder === undefined || this.#isHolderBusy()) return
    for (const waiter of this.#waiters.slice()) {
      waiter.idleMs += sliceMs
      if (waiter.idleMs < this.#waitMs) continue
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
      waiter.taker.expired(holder)
    }
  }
}
