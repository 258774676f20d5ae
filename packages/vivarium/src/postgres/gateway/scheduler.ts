import { startDeadline } from '../../core/clock.ts'
import type { Deadline } from '../../core/clock.ts'

/**
 * What one that has the session is doing: `busy` (the server works for it), `stalled` (in the middle of a unit that waits
 * for its own client: COPY data, a Sync, rows that nobody reads) or `idle` (between two units of its transaction).
 */
export type Activity = 'busy' | 'stalled' | 'idle'

/** One that wants the session: a virtual connection, for a unit or for its whole transaction. */
export interface TurnTaker {
  readonly activity: Activity
  /** It may run inside another one's transaction. */
  readonly mayNest: boolean
  /** The session is yours: alone, or inside the transaction of the one that has it. */
  granted(): void
  /** You waited too long, and nothing happened meanwhile; `blocker` has the session. */
  expired(blocker: TurnTaker, waitMs: number): void
}

/** What a {@link Scheduler} is told. */
export interface SchedulerOptions {
  /** Milliseconds of nothing happening after which a waiting one gives up. */
  readonly waitMs: number
  /** Milliseconds that a holder may be idle before one that waits is run inside its transaction. */
  readonly nestAfterMs: number
  /** How time is counted: not while the loop is blocked. */
  readonly startTimer?: (ms: number, expired: () => void) => Deadline
}

/** One on the stack. */
interface Frame {
  /** `undefined`: it has ended while another one was running inside of it. */
  taker: TurnTaker | undefined
  /** One has run inside of it, and it has sent nothing since: it is taken to be waiting for others. */
  isAwaiting: boolean
}

interface Waiter {
  readonly taker: TurnTaker
  idleMs: number
}

/** How long a holder that others ran inside of may be idle before the next one does: it may be about to go on. */
const nestAgainMs = 2
const sliceMs = 10

/**
 * Who has the one real session. A taker has it until it releases it; others queue in order. When the one that has it is
 * idle inside its transaction while another waits, the application is taken to be awaiting that other one, which then
 * runs inside of it: so those that have begun form a stack, and only its top may send. One further down that wants to go
 * on waits for those above it.
 *
 * A taker: outside → waiting → on top → (covered by another ↔ on top, waiting when it wants to go on) → outside.
 *
 * Every wait ends: with the session, or after `waitMs` in which nothing happened. A statement that the server is busy
 * with is something happening, however long it takes.
 */
export class Scheduler {
  readonly #options: Required<SchedulerOptions>
  readonly #stack: Frame[] = []
  readonly #waiters: Waiter[] = []
  /** How long the one on top has done nothing, counted while somebody waits. */
  #idleMs = 0
  #ticking: Deadline | undefined

  constructor(options: SchedulerOptions) {
    this.#options = { startTimer: startDeadline, ...options }
  }

  /** The one that may send. */
  get top(): TurnTaker | undefined {
    return this.#stack.at(-1)?.taker
  }

  /** All that have begun and not ended, outermost first. */
  get holders(): readonly TurnTaker[] {
    return this.#stack.flatMap(({ taker }) => (taker === undefined ? [] : [taker]))
  }

  /** All that wait, in the order in which they asked; a holder that wants to go on is among them. */
  get waiting(): readonly TurnTaker[] {
    return this.#waiters.map(({ taker }) => taker)
  }

  holds(taker: TurnTaker): boolean {
    return this.#stack.some((frame) => frame.taker === taker)
  }

  /** True when the taker may send at once; else it will hear `granted` or `expired`. */
  request(taker: TurnTaker): boolean {
    const top = this.#stack.at(-1)
    if (top === undefined) {
      this.#push(taker)
      return true
    }
    if (top.taker === taker) {
      top.isAwaiting = false
      this.stirred()
      return true
    }
    this.#waiters.push({ taker, idleMs: 0 })
    this.#tick()
    return false
  }

  /** The one on top has done something. */
  stirred(): void {
    this.#idleMs = 0
    for (const waiter of this.#waiters) waiter.idleMs = 0
    if (this.#ticking === undefined) return
    this.#ticking.cancel()
    this.#ticking = undefined
    this.#tick()
  }

  /** The taker does not wait any more; what it holds it keeps. */
  withdraw(taker: TurnTaker): void {
    if (this.#waiters.length === 0) return
    const index = this.#waiters.findIndex((waiter) => waiter.taker === taker)
    if (index !== -1) this.#waiters.splice(index, 1)
  }

  /** The taker neither waits nor holds anything any more. */
  release(taker: TurnTaker): void {
    this.withdraw(taker)
    const frame = this.#stack.find((each) => each.taker === taker)
    if (frame === undefined) return
    frame.taker = undefined
    if (this.#stack.at(-1) !== frame) return
    while (this.#stack.length > 0 && this.#stack.at(-1)?.taker === undefined) this.#stack.pop()
    this.#next()
  }

  #push(taker: TurnTaker): void {
    this.#stack.push({ taker, isAwaiting: false })
    this.stirred()
  }

  /** The top of the stack has ended. */
  #next(): void {
    this.stirred()
    const { top } = this
    if (top === undefined) {
      const first = this.#waiters.shift()?.taker
      if (first === undefined) return
      this.#push(first)
      first.granted()
    } else if (this.waiting.includes(top)) {
      this.withdraw(top)
      this.request(top)
      top.granted()
    } else this.#tick()
  }

  #tick(): void {
    if (this.#ticking !== undefined || this.#waiters.length === 0) return
    const ms = Math.min(sliceMs, this.#nestMs)
    this.#ticking = this.#options.startTimer(ms, () => {
      this.#ticking = undefined
      this.#passed(ms)
      this.#tick()
    })
  }

  get #nestMs(): number {
    const { nestAfterMs } = this.#options
    return this.#stack.at(-1)?.isAwaiting === true ? Math.min(nestAgainMs, nestAfterMs) : nestAfterMs
  }

  #passed(ms: number): void {
    const host = this.#stack.at(-1)
    const top = host?.taker
    if (host === undefined || top === undefined) return
    const { activity } = top
    if (activity === 'busy') {
      this.stirred()
      return
    }
    this.#idleMs += ms
    for (const waiter of this.#waiters) waiter.idleMs += ms
    if (activity === 'idle' && this.#idleMs >= this.#nestMs && this.#nest(host)) return
    this.#expire(top)
  }

  /** Runs the first that waits inside the one on top. */
  #nest(host: Frame): boolean {
    const guest = this.#waiters.find(({ taker }) => taker.mayNest && !this.holds(taker))?.taker
    if (guest === undefined) return false
    this.withdraw(guest)
    host.isAwaiting = true
    this.#push(guest)
    guest.granted()
    return true
  }

  #expire(blocker: TurnTaker): void {
    for (const waiter of this.#waiters.slice()) {
      if (waiter.idleMs < this.#options.waitMs || !this.waiting.includes(waiter.taker)) continue
      this.withdraw(waiter.taker)
      waiter.taker.expired(blocker, this.#options.waitMs)
    }
  }
}
