import { type AskedInbox, inboxesOf, type InboxFinding, Lookout } from './findings.ts'
import { type Arrival, assertWhole, type Inbox } from './inbox.ts'
import { type InboxOutcome, judgeOrder, judgeReceived, judgeSilence } from './judge.ts'
import {
  checkInOrderOptions,
  checkNothingOptions,
  checkReceiveOptions,
  type ReceiveInOrderOptions,
  type ReceiveNothingOptions,
  type ReceiveOptions,
} from './matcher-options.ts'
import type { MessageExpectation, MessagePattern } from './message-pattern.ts'
import { waitIn } from './pubsub-part.ts'
import { renderOutcome } from './render-outcome.ts'

/** What an assertion came to: the protocol of `expect.extend` in Vitest and Jest. */
export interface InboxMatcherResult {
  readonly pass: boolean
  message(): string
}

/** What a runner tells a matcher. */
export interface InboxMatcherContext {
  /** `expect(…).not` */
  readonly isNot?: boolean
}

/** What is asserted about: one inbox, or several, of which each must be as it is said. */
export type Inboxes = Inbox | readonly Inbox[] | Readonly<Record<string, Inbox>>

/**
 * Passes as soon as each inbox has received a message that is as expected: an equal payload, one with matchers in it, a regular expression
 * for its text, a function of the payload and the message; on its topic, where that is said; on each of several. Order does not matter and
 * nothing is consumed.
 */
export async function toReceive(
  this: InboxMatcherContext | void,
  inboxes: Inboxes,
  expected?: MessageExpectation,
  options: ReceiveOptions = {},
): Promise<InboxMatcherResult> {
  const isNot = this?.isNot === true
  const { within, topics, times } = checkReceiveOptions(options, isNot)
  const asked = inboxesOf(inboxes, 'toReceive')
  const patterns = topics.map((topic) => ({ expected, topic }))
  if (isNot) return resultOf(await silence(asked, patterns, within, () => true), 'heard')
  const outcome = await settle('toReceive()', asked, patterns, within, (findings, isLate) =>
    judgeReceived(findings, times, isLate ? within : undefined),
  )
  return resultOf(outcome, 'received')
}

/**
 * Passes when nothing arrives that no assertion has accounted for: `toReceive`, `toReceiveInOrder` and `next` account for the
 * messages they found, for one of several that are alike.
 */
export async function toReceiveNothing(
  this: InboxMatcherContext | void,
  inboxes: Inboxes,
  options: ReceiveNothingOptions = {},
): Promise<InboxMatcherResult> {
  const { within, topic, matching } = checkNothingOptions(options, this?.isNot === true)
  const asked = inboxesOf(inboxes, 'toReceiveNothing')
  const isNew = ({ isExpected }: Arrival): boolean => !isExpected
  return resultOf(await silence(asked, [{ expected: matching, topic }], within, isNew), 'silent')
}

/**
 * Passes as soon as each inbox has received messages that are as expected, one after the other. Others may come between them.
 */
export async function toReceiveInOrder(
  this: InboxMatcherContext | void,
  inboxes: Inboxes,
  expected: readonly MessageExpectation[],
  options: ReceiveInOrderOptions = {},
): Promise<InboxMatcherResult> {
  const { within, topic } = checkInOrderOptions(expected, options, this?.isNot === true)
  const asked = inboxesOf(inboxes, 'toReceiveInOrder')
  const patterns = expected.map((one) => ({ expected: one, topic }))
  const outcome = await settle('toReceiveInOrder()', asked, patterns, within, (findings, isLate) => {
    const rows = asked.map((_, index) => findings.slice(index * patterns.length, (index + 1) * patterns.length))
    return judgeOrder(rows, isLate ? within : undefined)
  })
  if (this?.isNot === true && outcome.kind !== 'received') for (const { inbox } of asked) assertWhole(inbox)
  return resultOf(outcome, 'received')
}

/**
 * The matchers, for `expect.extend`. The Vitest plugin has done it already.
 *
 * @example
 * ```ts
 * import { expect } from 'vitest'
 * import { inboxMatchers } from 'vivarium/pubsub'
 *
 * expect.extend(inboxMatchers)
 * ```
 */
export const inboxMatchers: Readonly<{
  toReceive: typeof toReceive
  toReceiveNothing: typeof toReceiveNothing
  toReceiveInOrder: typeof toReceiveInOrder
}> = { toReceive, toReceiveNothing, toReceiveInOrder }

type Decide = (findings: readonly InboxFinding[], isLate: boolean) => InboxOutcome | undefined

/** Awaits what `decide` makes of what the inboxes hold, and accounts for what was found. */
function settle(
  what: string,
  asked: readonly AskedInbox[],
  patterns: readonly MessagePattern[],
  within: number,
  decide: Decide,
): Promise<InboxOutcome> {
  const { name, asking } = asked[0]!
  const awaited = new Lookout(asked, patterns).awaiting(within, (findings, isLate) => {
    const outcome = decide(findings, isLate)
    if (outcome?.kind === 'received') for (const arrival of outcome.found) arrival.isExpected = true
    return outcome
  })
  return waitIn(asking, `${what} of ${name}`, awaited)
}

function silence(
  asked: readonly AskedInbox[],
  patterns: readonly MessagePattern[],
  within: number,
  isUnwanted: (arrival: Arrival) => boolean,
): Promise<InboxOutcome> {
  return settle('toReceiveNothing()', asked, patterns, within, (findings, isLate) => {
    const outcome = judgeSilence(findings, isUnwanted, within, isLate)
    // What a broken source would have brought is not known.
    if (outcome?.kind !== 'heard') for (const { inbox } of asked) assertWhole(inbox)
    return outcome
  })
}

function resultOf(outcome: InboxOutcome, passes: InboxOutcome['kind']): InboxMatcherResult {
  return { pass: outcome.kind === passes, message: () => renderOutcome(outcome) }
}
