import type { CallSite } from './call-site.ts'
import { startDeadline } from './clock.ts'
import { VivariumError } from './errors.ts'
import { describeFault, type FaultKind, type FaultMoment, type InjectedFault } from './injected-fault.ts'

/** What a component can break. */
export type FaultComponent = 'postgres' | 'redis' | 'mail' | 'http' | 'mock'

/** A fault as a test has ordered it. */
export interface FaultOrder<Crossing = never> {
  readonly component: FaultComponent
  /** What is to be broken, as the test wrote it: `query(/insert into payments/i)`. */
  readonly subject: string
  matches(crossing: Crossing): boolean
  /** The first of the matching ones that it breaks, from 1. */
  readonly nth: number
  readonly kind: FaultKind
  readonly moment: FaultMoment
  /** How it fails; the component knows what that can be, and what it is when nothing is said. */
  readonly failure: unknown
  readonly place: CallSite
}

/** A fault that was set. It strikes once, unless it is told otherwise. */
export interface Fault {
  /** How often it has struck so far. */
  readonly struck: number
  /** Strikes the next `count` of them. */
  times(count: number): Fault
  /** Strikes each of them. */
  always(): Fault
  /** That nothing meets it is no broken promise. */
  ifMet(): Fault
}

/** A fault that is due: what the component is to do with what crosses just now. */
export interface Strike {
  readonly kind: FaultKind
  readonly moment: FaultMoment
  readonly failure: unknown
  /** For the interaction. */
  readonly injected: InjectedFault
  /** What crosses, in one line. */
  readonly crossing: string
}

/** Milliseconds until it is known at the latest that a client has given up. */
const giveUpMs = 100

/** Enough of what crossed to see why a fault never struck. */
const mostShown = 12

class SetFault implements Fault {
  readonly order: FaultOrder
  matched = 0
  struck = 0
  isOptional = false
  #times = 1

  constructor(order: FaultOrder) {
    this.order = order
  }

  times(count: number): Fault {
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new VivariumError('CONFIG_INVALID', {
        what: `A fault cannot strike ${String(count)} times (${this.order.place.text}).`,
        remedy: 'Give times() a whole number of at least 1, or say always().',
      })
    }
    this.#times = count
    return this
  }

  always(): Fault {
    this.#times = Number.POSITIVE_INFINITY
    return this
  }

  ifMet(): Fault {
    this.isOptional = true
    return this
  }

  get isLeft(): boolean {
    return this.struck < this.#times
  }

  /** Fewer came than it was to strike. */
  get isUnmet(): boolean {
    return !this.isOptional && this.struck < (this.#times === Number.POSITIVE_INFINITY ? 1 : this.#times)
  }

  get injected(): InjectedFault {
    const { kind, moment, place } = this.order
    return { kind, moment, setAt: place.text }
  }
}

interface Held {
  readonly strike: Strike
  readonly end: () => void
}

/**
 * The faults of one sandbox. Components tell them what is about to cross, and are told what is to become of it. Those of a
 * sandbox around it (a test's file) strike here as well, and are counted there.
 */
export class Faults {
  readonly #around: Faults | undefined
  readonly #set: SetFault[] = []
  readonly #held: Set<Held> = new Set()
  #onceNoneHeld: (() => void) | undefined
  /** What crossed while a fault was awaited, by component, and how often. */
  readonly #seen: Map<FaultComponent, Map<string, number>> = new Map()

  constructor(around?: Faults) {
    this.#around = around
  }

  add(order: FaultOrder): Fault {
    const fault = new SetFault(order)
    this.#set.push(fault)
    return fault
  }

  /** Takes a fault back, whatever has become of it. */
  withdraw(fault: Fault): void {
    const index = this.#set.indexOf(fault as SetFault)
    if (index >= 0) this.#set.splice(index, 1)
  }

  /** Something of this component is still to be broken. Asked for everything that crosses. */
  awaits(component: FaultComponent): boolean {
    for (const fault of this.#set) if (fault.order.component === component && fault.isLeft) return true
    return this.#around !== undefined && this.#around.awaits(component)
  }

  /** Something is about to cross: counts it, and returns the fault that is due. */
  strike(component: FaultComponent, crossing: unknown, describe: () => string): Strike | undefined {
    const fault = this.#due(component, crossing, describe)
    if (fault === undefined) return undefined
    fault.struck++
    const { kind, moment, failure } = fault.order
    return { kind, moment, failure, injected: fault.injected, crossing: describe() }
  }

  #due(component: FaultComponent, crossing: unknown, describe: () => string): SetFault | undefined {
    let due: SetFault | undefined
    let isAwaited = false
    for (const fault of this.#set) {
      if (fault.order.component !== component || !fault.isLeft) continue
      isAwaited = true
      if (!fault.order.matches(crossing as never)) continue
      fault.matched++
      if (fault.matched >= fault.order.nth) due ??= fault
    }
    if (isAwaited) this.#note(component, describe())
    // Those around count it in any case.
    const outer =
      this.#around?.awaits(component) === true ? this.#around.#due(component, crossing, describe) : undefined
    return due ?? outer
  }

  #note(component: FaultComponent, what: string): void {
    const seen = this.#seen.get(component) ?? new Map<string, number>()
    this.#seen.set(component, seen)
    seen.set(what, (seen.get(what) ?? 0) + 1)
  }

  /** What is left without an answer until its client gives up, or the sandbox closes: `end` ends it. Returns what forgets it. */
  hold(strike: Strike, end: () => void): () => void {
    const held = { strike, end }
    this.#held.add(held)
    return () => {
      this.#held.delete(held)
      if (this.#held.size === 0) this.#onceNoneHeld?.()
    }
  }

  /** Ends what is still left without an answer, and returns a failure for each. */
  async endHeld(): Promise<readonly VivariumError[]> {
    if (this.#held.size > 0) await this.#noneHeld()
    const held = [...this.#held]
    this.#held.clear()
    for (const { end } of held) end()
    return held.map(({ strike }) => stillHeld(strike))
  }

  /** Resolves when no client waits any more. That one has given up may be on its way: it has a moment. */
  #noneHeld(): Promise<void> {
    return new Promise((resolve) => {
      const deadline = startDeadline(giveUpMs, resolve)
      this.#onceNoneHeld = () => {
        deadline.cancel()
        resolve()
      }
    })
  }

  /** A failure for each fault that nothing has met. */
  verify(): readonly VivariumError[] {
    return this.#set
      .filter((fault) => fault.isUnmet)
      .map((fault) => unused(fault, this.#seen.get(fault.order.component) ?? new Map<string, number>()))
  }
}

function unused({ order, matched, struck }: SetFault, seen: ReadonlyMap<string, number>): VivariumError {
  const { component, subject, kind, moment, nth, place } = order
  const which = nth === 1 ? '' : `, the ${ordinal(nth)} of them`
  const often = struck === 0 ? 'never struck' : `struck only ${struck} times`
  const lines = [...seen].slice(0, mostShown).map(([what, count]) => `\n    ${count} × ${what}`)
  const more = seen.size > mostShown ? `\n    and ${seen.size - mostShown} others` : ''
  const total = [...seen.values()].reduce((sum, count) => sum + count, 0)
  return new VivariumError('FAULT_UNUSED', {
    what: `A fault ${often}: ${subject}${which}, which ${describeFault({ kind, moment })}; set at ${place.text}.`,
    seen:
      total === 0
        ? `nothing crossed to ${component} since`
        : `${matched} of ${total} that crossed to ${component} since matched:${lines.join('')}${more}`,
    remedy:
      'Match what really crosses, set the fault before it does, or drop it. Where the course may rightly not come there, ' +
      'say so: `.ifMet()`.',
  })
}

function stillHeld({ crossing, injected }: Strike): VivariumError {
  return new VivariumError('FAULT_NOT_ENDED', {
    what: `The sandbox closed while the application still waited for an answer that a fault withheld; it was ended.`,
    seen: `${crossing} (the fault was set at ${injected.setAt})`,
    remedy:
      'The application has no deadline of its own there: give it one (`query_timeout`, `statement_timeout`, `commandTimeout`, ' +
      'an AbortSignal, …), and let the test await that it gives up.',
  })
}

/** `4th`. */
export function ordinal(number: number): string {
  const last = number % 100 >= 11 && number % 100 <= 13 ? 0 : number % 10
  return `${number}${['th', 'st', 'nd', 'rd'][last] ?? 'th'}`
}
