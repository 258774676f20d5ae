import { type Difference, differences } from '../core/differences.ts'
import type { ObservedMessage } from '../core/interactions.ts'
import { isMatcher, type ValueMatcher } from '../core/print-value.ts'

/** What a topic must be: equal, matched by a regular expression or by a matcher. */
export type TopicPattern = string | RegExp | ValueMatcher

/** Whether something came on the topic that is meant; `undefined` means any. */
export function isOn(topic: string, pattern: TopicPattern | undefined): boolean {
  if (pattern === undefined || typeof pattern === 'string') return pattern === undefined || topic === pattern
  return isMatcher(pattern) ? pattern.asymmetricMatch(topic) : topic.search(pattern) >= 0
}

/** A function that says whether a message is meant. */
export type MessagePredicate = (payload: unknown, message: ObservedMessage) => boolean

/**
 * What a payload must be: an equal value, one with matchers in it, a regular expression for its text, a function of the payload and the message.
 * `undefined` means any.
 */
// Every value there is: a function among them has its parameters' types by the first.
export type MessageExpectation =
  | MessagePredicate
  | object
  | string
  | number
  | bigint
  | boolean
  | symbol
  | null
  | undefined

/** Which messages are meant. */
export interface MessagePattern {
  readonly expected: MessageExpectation
  readonly topic: TopicPattern | undefined
}

/** Every reason why a message is not the one that is meant; none when it is. */
export function mismatchesOf(message: ObservedMessage, { expected, topic }: MessagePattern): readonly Difference[] {
  const onTopic = isOn(message.topic, topic) ? [] : [{ path: 'topic', expected: topic, received: message.topic }]
  return [...onTopic, ...payloadMismatches(message, expected)]
}

function payloadMismatches(message: ObservedMessage, expected: MessageExpectation): readonly Difference[] {
  const { payload, text } = message
  if (expected === undefined) return []
  if (typeof expected === 'function') {
    const isMeant = (expected as MessagePredicate)(payload, message)
    return isMeant ? [] : [{ path: 'predicate', expected: true, received: isMeant }]
  }
  if (expected instanceof RegExp) {
    const words = text ?? (typeof payload === 'string' ? payload : undefined)
    return words !== undefined && words.search(expected) >= 0
      ? []
      : [{ path: 'text', expected, received: words ?? payload }]
  }
  // A text is also compared with what came over the wire, before it was read as JSON.
  if (typeof expected === 'string' && expected === text) return []
  return differences(expected, payload, 'payload')
}

/** How far a message is from what is meant: the smaller, the nearer. */
export function distanceOf(mismatches: readonly Difference[]): number {
  return mismatches.reduce((sum, { path }) => sum + (path === 'topic' ? 10 : path.includes('.') ? 1 : 100), 0)
}
