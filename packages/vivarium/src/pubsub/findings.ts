import type { Awaited } from '../core/awaited.ts'
import type { Difference } from '../core/differences.ts'
import type { ObservedMessage } from '../core/interactions.ts'
import type { SandboxOwner } from '../core/owner.ts'
import { type Arrival, type InboxState, SandboxInbox } from './inbox.ts'
import { notAnInbox } from './inbox-errors.ts'
import { type MessagePattern, mismatchesOf } from './message-pattern.ts'

/** One inbox of an assertion, with the name that it has there. */
export interface AskedInbox {
  readonly name: string
  readonly inbox: SandboxInbox
  readonly asking: SandboxOwner
}

/** One message, judged. */
export interface JudgedMessage {
  readonly arrival: Arrival
  /** None: it is what was meant. */
  readonly mismatches: readonly Difference[]
}

/** What one inbox holds, by one pattern. Plain data. */
export interface InboxFinding {
  readonly name: string
  readonly pattern: MessagePattern
  readonly state: InboxState
  readonly messages: readonly JudgedMessage[]
}

/** The inboxes of what `expect` was given: one, a list, or an object of several. Throws `NOT_AN_INBOX`. */
export function inboxesOf(given: unknown, matcher: string): readonly AskedInbox[] {
  const asked = (name: string, inbox: unknown): AskedInbox => {
    if (!SandboxInbox.is(inbox)) throw notAnInbox(matcher, given)
    return { name, inbox, asking: inbox.asking() }
  }
  if (SandboxInbox.is(given)) return [asked(given.name, given)]
  if (typeof given !== 'object' || given === null) throw notAnInbox(matcher, given)
  const all = Array.isArray(given)
    ? given.map((inbox: unknown, index) => asked(SandboxInbox.is(inbox) ? `[${index}] ${inbox.name}` : '', inbox))
    : Object.entries(given).map(([name, inbox]) => asked(name, inbox))
  if (all.length === 0) throw notAnInbox(matcher, given)
  return all
}

/** Looks at what inboxes hold, again and again; each message is judged once by each pattern. */
export class Lookout {
  readonly asked: readonly AskedInbox[]
  readonly patterns: readonly MessagePattern[]
  readonly #judged: Map<MessagePattern, Map<ObservedMessage, JudgedMessage>>

  constructor(asked: readonly AskedInbox[], patterns: readonly MessagePattern[]) {
    this.asked = asked
    this.patterns = patterns
    this.#judged = new Map(patterns.map((pattern) => [pattern, new Map()]))
  }

  /** One finding for each inbox and each pattern. */
  findings(): readonly InboxFinding[] {
    return this.asked.flatMap(({ name, inbox, asking }) => {
      const arrivals = inbox.arrivalsIn(asking)
      return this.patterns.map((pattern) => ({
        name,
        pattern,
        state: inbox.state,
        messages: arrivals.map((arrival) => this.#judge(arrival, pattern)),
      }))
    })
  }

  /** Awaits what `decide` makes of the findings, `undefined` for "not yet". */
  awaiting<T>(
    within: number,
    decide: (findings: readonly InboxFinding[], isLate: boolean) => T | undefined,
  ): Awaited<T> {
    return {
      within,
      look: () => decide(this.findings(), false),
      late: () => decide(this.findings(), true)!,
      follow: (changed) => {
        const stops = this.asked.map(({ inbox }) => inbox.follow(changed))
        return () => stops.forEach((stop) => stop())
      },
    }
  }

  #judge(arrival: Arrival, pattern: MessagePattern): JudgedMessage {
    const known = this.#judged.get(pattern)!
    let judged = known.get(arrival.message)
    if (judged === undefined) {
      judged = { arrival, mismatches: mismatchesOf(arrival.message, pattern) }
      known.set(arrival.message, judged)
    }
    return judged
  }
}

/** The messages that are what was meant. */
export function matchingIn({ messages }: InboxFinding): readonly Arrival[] {
  return messages.filter(({ mismatches }) => mismatches.length === 0).map(({ arrival }) => arrival)
}

/** More may come. */
export function isListening({ state }: Pick<InboxFinding, 'state'>): boolean {
  return state.is === 'opening' || state.is === 'open'
}
