import type { MessageSource } from '../core/message-source.ts'
import { type ReadableValues, readValues } from './read-values.ts'

/** What is said of the values of an iterable. */
export interface IterableSourceOptions<T> {
  /** @default 'iterable' */
  name?: string
  /** The topic of a value. @default the name */
  topic?: string | ((value: T) => string)
  /** What a value says. @default the value */
  payload?: (value: T) => unknown
}

/**
 * The values of an async iterable or a `ReadableStream`: a subscription of a client, a GraphQL subscription, `events.on(emitter, name)`. It is read from the moment the
 * inbox opens, and closing the inbox ends it (`return()`).
 *
 * @example
 * ```ts
 * import { expect } from 'vitest'
 * import { fromIterable, openInbox } from 'vivarium/pubsub'
 *
 * async function* prices() {
 *   yield { symbol: 'VIV', cents: 10_000 }
 * }
 *
 * const inbox = await openInbox(fromIterable(prices(), { topic: (price) => price.symbol }))
 * await expect(inbox).toReceive({ cents: 10_000 }, { topic: 'VIV' })
 * ```
 */
export function fromIterable<T>(iterable: ReadableValues<T>, options: IterableSourceOptions<T> = {}): MessageSource {
  const { name = 'iterable', topic = name, payload = (value: T): unknown => value } = options
  return {
    name,
    open: ({ deliver, ended }) => {
      const topicOf = typeof topic === 'function' ? topic : (): string => topic
      return readValues(iterable, (value) => deliver({ topic: topicOf(value), payload: payload(value) }), { ended })
    },
  }
}
