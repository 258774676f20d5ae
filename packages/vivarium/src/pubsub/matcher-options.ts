import { VivariumError } from '../core/errors.ts'
import { countAt, millisecondsAt, refuseUnknownKeys } from '../core/options.ts'
import type { MessageExpectation, TopicPattern } from './message-pattern.ts'

/** Options of `toReceive`. */
export interface ReceiveOptions {
  /** Milliseconds. @default 1000; with `.not` 50 */
  within?: number
  /** The topic that it must have come on; of several, it must come on each. @default any */
  topic?: TopicPattern | readonly TopicPattern[]
  /** Exactly so many messages must match, 1 or more. @default at least one */
  times?: number
}

/** Options of `toReceiveInOrder`. */
export interface ReceiveInOrderOptions {
  /** Milliseconds. @default 1000; with `.not` 50 */
  within?: number
  /** Only messages that came on it. @default any */
  topic?: TopicPattern
}

/** Options of `toReceiveNothing`. */
export interface ReceiveNothingOptions {
  /** Milliseconds. @default 50; with `.not` 1000 */
  within?: number
  /** Only messages that came on it. @default any */
  topic?: TopicPattern
  /** Only such messages, as `toReceive` takes them. @default any */
  matching?: MessageExpectation
}

const presenceMs = 1000
const absenceMs = 50

/** Options, checked and completed. Throws `CONFIG_INVALID`. */
export function checkReceiveOptions(
  options: ReceiveOptions,
  isNot: boolean,
): { within: number; topics: readonly (TopicPattern | undefined)[]; times: number | undefined } {
  const source = 'toReceive()'
  refuseUnknownKeys(options, ['within', 'topic', 'times'], '', source)
  if (isNot && options.times !== undefined) {
    throw new VivariumError('CONFIG_INVALID', {
      what: '`times` says nothing with `.not.toReceive()`, which waits for no such message at all.',
      remedy: 'Say how many there must be, without `.not`; then `toReceiveNothing()` for no more of them.',
    })
  }
  const { topic } = options
  const isList = Array.isArray as (value: typeof topic) => value is readonly TopicPattern[]
  return {
    within: millisecondsAt(options.within, 'within', source) ?? (isNot ? absenceMs : presenceMs),
    topics: isList(topic) ? topic : [topic],
    times: countAt(options.times, 'times', source, 1),
  }
}

/** Options, checked and completed. Throws `CONFIG_INVALID`. */
export function checkInOrderOptions(
  expected: readonly MessageExpectation[],
  options: ReceiveInOrderOptions,
  isNot: boolean,
): { within: number; topic: TopicPattern | undefined } {
  const source = 'toReceiveInOrder()'
  if (!Array.isArray(expected) || expected.length === 0) {
    throw new VivariumError('CONFIG_INVALID', {
      what: 'toReceiveInOrder() was given no list of what is to come.',
      remedy: "Give it a list: `toReceiveInOrder([{ step: 'paid' }, { step: 'sent' }])`.",
    })
  }
  refuseUnknownKeys(options, ['within', 'topic'], '', source)
  return {
    within: millisecondsAt(options.within, 'within', source) ?? (isNot ? absenceMs : presenceMs),
    topic: options.topic,
  }
}

/** Options, checked and completed. Throws `CONFIG_INVALID`. */
export function checkNothingOptions(
  options: ReceiveNothingOptions,
  isNot: boolean,
): { within: number; topic: TopicPattern | undefined; matching: MessageExpectation } {
  const source = 'toReceiveNothing()'
  refuseUnknownKeys(options, ['within', 'topic', 'matching'], '', source)
  const { topic, matching } = options
  return {
    within: millisecondsAt(options.within, 'within', source) ?? (isNot ? presenceMs : absenceMs),
    topic,
    matching,
  }
}
