import type { Arrival, Inbox } from './inbox.ts'
import { assertWhole } from './inbox.ts'
import { account, type InboxFinding, inboxesOf, isListening, Lookout, matchingIn } from './assertion.ts'
import {
  checkInOrderOptions,
  checkNothingOptions,
  checkReceiveOptions,
  type ReceiveInOrderOptions,
  type ReceiveNothingOptions,
  type ReceiveOptions,
} from './matcher-options.ts'
import { waitIn } from './pubsub-part.ts'
import { count, renderFinding, renderPattern } from './render-messages.ts'
import { wrapText } from '../core/wrap-text.ts'

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
  expected?: unknown,
  options: ReceiveOptions = {},
): Promise<InboxMatcherResult> {
  const isNot = this?.isNot === true
  const { within, topics, times } = checkReceiveOptions(options, isNot)
  const patterns = topics.map((topic) => ({ expected, topic }))
  const asked = inboxesOf(inboxes, 'toReceive')
  if (isNot) return silence(new Lookout(asked, patterns), within, () => true)
  const isMet = ({ length }: readonly Arrival[]): boolean => (times === undefined ? length > 0 : length === times)
  return judge('toReceive()', new Lookout(asked, patterns), within, (findings, isLate) => {
    const found = findings.map((finding) => ({ finding, matching: matchingIn(finding) }))
    const unmet = found.filter(({ matching }) => !isMet(matching))
    if (unmet.length === 0) {
      for (const { matching } of found) account(matching, times ?? 1)
      return {
        pass: true,
        message: () => renderUnwanted('A message was received that should not have been.', findings),
      }
    }
    const isDecided = unmet.some(
      ({ finding, matching }) => !isListening(finding) || (times !== undefined && matching.length > times),
    )
    if (!isLate && !isDecided) return undefined
    const when = isLate ? `within ${within} ms` : 'and no more will come'
    const headline = headlineOf(found.length, unmet, times, isLate || times === undefined ? when : '')
    return {
      pass: false,
      message: () =>
        renderUnmet(
          headline,
          unmet.map(({ finding }) => finding),
        ),
    }
  })
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
  const result = await silence(
    new Lookout(asked, [{ expected: matching, topic }]),
    within,
    (arrival) => !arrival.isExpected,
  )
  return { ...result, pass: !result.pass }
}

/**
 * Passes as soon as each inbox has received messages that are as expected, one after the other. Others may come between them.
 */
export async function toReceiveInOrder(
  this: InboxMatcherContext | void,
  inboxes: Inboxes,
  expected: readonly unknown[],
  options: ReceiveInOrderOptions = {},
): Promise<InboxMatcherResult> {
  const { within, topic } = checkInOrderOptions(expected, options, this?.isNot === true)
  const patterns = expected.map((one) => ({ expected: one, topic }))
  const asked = inboxesOf(inboxes, 'toReceiveInOrder')
  return judge('toReceiveInOrder()', new Lookout(asked, patterns), within, (findings, isLate) => {
    const rows = asked.map((_, index) => findings.slice(index * patterns.length, (index + 1) * patterns.length))
    const orders = rows.map((row) => ({ row, found: inOrder(row) }))
    const unmet = orders.filter(({ found }) => found.length < patterns.length)
    if (unmet.length === 0) {
      for (const { found } of orders) account(found, found.length)
      return {
        pass: true,
        message: () => renderUnwanted('Messages were received in an order that should not have been.', findings),
      }
    }
    if (!isLate && unmet.every(({ row }) => isListening(row[0]!))) return undefined
    if (this?.isNot === true) for (const { inbox } of asked) assertWhole(inbox)
    const missing = unmet.map(({ row, found }) => ({ next: row[found.length]!, found }))
    const [{ found, next }] = missing as [(typeof missing)[0]]
    const after = found.length === 0 ? '' : ` after message ${placeOf(found.at(-1)!, next)})`
    const headline = `Number ${found.length + 1} of ${patterns.length} expected messages did not come${after}${isLate ? ` within ${within} ms` : ', and no more will come'}.`
    return {
      pass: false,
      message: () =>
        renderUnmet(
          headline,
          missing.map((one) => one.next),
        ),
    }
  })
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

type Decide = (findings: readonly InboxFinding[], isLate: boolean) => InboxMatcherResult | undefined

function judge(what: string, lookout: Lookout, within: number, decide: Decide): Promise<InboxMatcherResult> {
  const { name, asking } = lookout.asked[0]!
  return waitIn(asking, `${what} of ${name}`, lookout.awaiting(within, decide))
}

/** Whether something is heard that is not wanted, within a time: it passes as soon as it is. */
function silence(
  lookout: Lookout,
  within: number,
  isUnwanted: (arrival: Arrival) => boolean,
): Promise<InboxMatcherResult> {
  return judge('toReceiveNothing()', lookout, within, (findings, isLate) => {
    const heard = findings.map((finding) => ({
      ...finding,
      messages: finding.messages.filter(({ arrival, mismatches }) => mismatches.length === 0 && isUnwanted(arrival)),
    }))
    const unwanted = heard.filter(({ messages }) => messages.length > 0)
    if (unwanted.length > 0) {
      const number = unwanted.reduce((sum, { messages }) => sum + messages.length, 0)
      const headline = `Expected no such message, and ${number === 1 ? '1 was' : `${number} were`} received.`
      return { pass: true, message: () => renderUnwanted(headline, unwanted) }
    }
    if (!isLate && findings.some(isListening)) {
      for (const { inbox } of lookout.asked) assertWhole(inbox)
      return undefined
    }
    for (const { inbox } of lookout.asked) assertWhole(inbox)
    return { pass: false, message: () => renderUnmet(`Nothing was received within ${within} ms.`, findings) }
  })
}

/** The earliest messages that are as expected, each behind the one before it. */
function inOrder(row: readonly InboxFinding[]): readonly Arrival[] {
  const found: Arrival[] = []
  let from = 0
  for (const { messages } of row) {
    const index = messages.findIndex(({ mismatches }, at) => at >= from && mismatches.length === 0)
    if (index < 0) break
    found.push(messages[index]!.arrival)
    from = index + 1
  }
  return found
}

function placeOf(arrival: Arrival, { messages }: InboxFinding): number {
  return messages.findIndex((one) => one.arrival === arrival) + 1
}

function headlineOf(
  asked: number,
  unmet: readonly { readonly finding: InboxFinding; readonly matching: readonly Arrival[] }[],
  times: number | undefined,
  when: string,
): string {
  const time = when === '' ? '' : ` ${when}`
  if (asked > 1) {
    const wanted = times === undefined ? 'no such message' : `not ${count(times, 'such message')}`
    return `${unmet.length} of ${asked} received ${wanted}${time.replace(' and', ', and')}.`
  }
  if (times === undefined) return `No message matched${time.replace(' and', ', and')}.`
  return `${count(unmet[0]!.matching.length, 'message')} matched${time}, and ${times} should have.`
}

function renderUnmet(headline: string, findings: readonly InboxFinding[]): string {
  const patterns = [...new Set(findings.map(({ pattern }) => pattern))]
  return render(headline, [
    'Expected:',
    ...patterns.flatMap((pattern) => renderPattern(pattern)),
    '',
    ...findings.flatMap((finding) => renderFinding(finding)),
  ])
}

function renderUnwanted(headline: string, findings: readonly InboxFinding[]): string {
  return render(
    headline,
    findings.flatMap((finding) => renderFinding(finding)),
  )
}

function render(headline: string, lines: readonly string[]): string {
  return [wrapText(headline), '', ...lines].join('\n')
}
