import type { MessageReceiver, SourceEnd } from '../core/message-source.ts'

/** What is used of the reader of a `ReadableStream`. */
export interface ValueStreamReader<T> {
  read(): Promise<{ readonly done: boolean; readonly value?: T | undefined }>
  cancel(): Promise<void>
}

/** Values, one after the other: an async iterable, or a `ReadableStream`, which is not one in the types of a browser. */
export type ReadableValues<T> = AsyncIterable<T> | { getReader(): ValueStreamReader<T> }

/**
 * Hands over each value of an iterable, then says that it has ended. Returns what stops it: a stream is cancelled; of anything else
 * the iterator is told and not waited for, because a generator answers only when its next value has come, which may be never.
 */
export function readValues<T>(
  values: ReadableValues<T>,
  take: (value: T) => void,
  { ended }: Pick<MessageReceiver, 'ended'>,
): SourceEnd {
  const { read, stop } = readerOf(values)
  let isStopped = false
  const readAll = async (): Promise<void> => {
    for (let next = await read(); next.done !== true; next = await read()) take(next.value as T)
  }
  readAll().then(
    () => ended(),
    // What comes of stopping it is no news.
    (error: unknown) => isStopped || ended(error ?? new Error('it threw nothing')),
  )
  return () => {
    isStopped = true
    stop()
  }
}

interface ValueReader<T> {
  read(): Promise<{ readonly done?: boolean | undefined; readonly value?: T | undefined }>
  stop(): void
}

function readerOf<T>(values: ReadableValues<T>): ValueReader<T> {
  if ('getReader' in values) {
    const reader = values.getReader()
    return { read: () => reader.read(), stop: () => void reader.cancel().catch(() => undefined) }
  }
  const iterator = values[Symbol.asyncIterator]()
  // A stream of Node's has no other way to be given up while it waits.
  const { destroy } = values as { destroy?: () => unknown }
  return {
    read: () => iterator.next(),
    stop: () => {
      if (typeof destroy === 'function') destroy.call(values)
      else void iterator.return?.().catch(() => undefined)
    },
  }
}
