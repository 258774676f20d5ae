import { type InboxFinding, isListening, matchingIn } from './findings.ts'
import type { Arrival } from './inbox.ts'

/** Why nothing is waited for any longer. */
export type WaitEnd =
  | { readonly by: 'deadline'; readonly ms: number }
  | { readonly by: 'no more will come' | 'too many' }

/** What an assertion about inboxes came to. Plain data; `render-outcome.ts` has the words. */
export type InboxOutcome =
  /** Each has received what it should. */
  | { readonly kind: 'received'; readonly found: readonly Arrival[] }
  /** Some have not. */
  | {
      readonly kind: 'not received'
      readonly end: WaitEnd
      /** How many messages should match; `undefined`: at least one. */
      readonly times: number | undefined
      readonly unmet: readonly InboxFinding[]
      /** Names of those that have. */
      readonly met: readonly string[]
    }
  /** Some have received the first of several messages, and not the next one behind it. */
  | {
      readonly kind: 'not in order'
      readonly end: WaitEnd
      readonly unmet: readonly OrderFinding[]
      readonly met: readonly string[]
    }
  /** Something came; the findings hold nothing else. */
  | { readonly kind: 'heard'; readonly heard: readonly InboxFinding[] }
  /** Nothing came. */
  | { readonly kind: 'silent'; readonly ms: number; readonly findings: readonly InboxFinding[] }

/** How far one inbox came in a row of messages. */
export interface OrderFinding {
  /** A finding for each of them. */
  readonly row: readonly InboxFinding[]
  /** What was found of them, each behind the one before it. */
  readonly found: readonly Arrival[]
}

/** Whether each has received a message that is meant, or exactly `times`; `undefined` as long as that may still change. */
export function judgeReceived(
  findings: readonly InboxFinding[],
  times: number | undefined,
  lateMs: number | undefined,
): InboxOutcome | undefined {
  const judged = findings.map((finding) => ({ finding, matching: matchingIn(finding) }))
  const isMet = ({ length }: readonly Arrival[]): boolean => (times === undefined ? length > 0 : length === times)
  const unmet = judged.filter(({ matching }) => !isMet(matching))
  // Of several messages that are alike one is accounted for, the first that was not yet.
  const found = judged.flatMap(({ matching }) => unexpected(matching).slice(0, times ?? 1))
  if (unmet.length === 0) return { kind: 'received', found }
  const hasTooMany = times !== undefined && unmet.some(({ matching }) => matching.length > times)
  const end = hasTooMany
    ? tooMany
    : endOf(
        unmet.map(({ finding }) => finding),
        lateMs,
      )
  if (end === undefined) return undefined
  const lacking = new Set(unmet.map(({ finding }) => finding.name))
  const met = judged.map(({ finding }) => finding.name).filter((name) => !lacking.has(name))
  return { kind: 'not received', end, times, unmet: unmet.map(({ finding }) => finding), met }
}

/** Whether each has received messages one after the other; `rows` holds, of each inbox, a finding for each message. */
export function judgeOrder(
  rows: readonly (readonly InboxFinding[])[],
  lateMs: number | undefined,
): InboxOutcome | undefined {
  const judged = rows.map((row) => ({ row, found: inOrder(row) }))
  const unmet = judged.filter(({ row, found }) => found.length < row.length)
  if (unmet.length === 0) return { kind: 'received', found: judged.flatMap(({ found }) => found) }
  const end = endOf(
    unmet.map(({ row }) => row[0]!),
    lateMs,
  )
  if (end === undefined) return undefined
  const met = judged.filter(({ row, found }) => found.length === row.length).map(({ row }) => row[0]!.name)
  return { kind: 'not in order', end, unmet, met }
}

/** Whether nothing comes of what is not wanted. */
export function judgeSilence(
  findings: readonly InboxFinding[],
  isUnwanted: (arrival: Arrival) => boolean,
  ms: number,
  isLate: boolean,
): InboxOutcome | undefined {
  const heard = findings
    .map((finding) => ({
      ...finding,
      messages: finding.messages.filter(({ arrival, mismatches }) => mismatches.length === 0 && isUnwanted(arrival)),
    }))
    .filter(({ messages }) => messages.length > 0)
  if (heard.length > 0) return { kind: 'heard', heard }
  return isLate || !findings.some(isListening) ? { kind: 'silent', ms, findings } : undefined
}

const tooMany: WaitEnd = { by: 'too many' }

/** One that can receive no more is enough: what it lacks will never come. */
function endOf(unmet: readonly InboxFinding[], lateMs: number | undefined): WaitEnd | undefined {
  if (unmet.some((finding) => !isListening(finding))) return { by: 'no more will come' }
  return lateMs === undefined ? undefined : { by: 'deadline', ms: lateMs }
}

function unexpected(arrivals: readonly Arrival[]): readonly Arrival[] {
  return arrivals.filter(({ isExpected }) => !isExpected)
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
