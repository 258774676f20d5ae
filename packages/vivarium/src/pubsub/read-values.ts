import type { MessageReceiver, SourceEnd } from '../core/message-source.ts'

interface StreamReader<T> {
  read(): Promise<{ readonly done: boolean; readonly value?: T }>
  cancel(): Promise<void>
}

/**
 * Hands over each value of an iterable, then says that it has ended. Returns what stops it: a stream is cancelled; of anything else
 * the iterator is told and not waited for, because a generator answers only when its next value has come, which may be never.
 */
export function readValues<T>(
  values: AsyncIterable<T>,
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
  read(): Promise<{ readonly done?: boolean | undefined; readonly value?: T }>
  stop(): void
}

function readerOf<T>(values: AsyncIterable<T>): ValueReader<T> {
  const { getReader, destroy } = values as {
    getReader?: () => StreamReader<T>
    destroy?: () => unknown
  }
  if (typeof getReader === 'function') {
    const reader = getReader.call(values)
    return { read: () => reader.read(), stop: () => void reader.cancel().catch(() => undefined) }
  }
  const iterator = values[Symbol.asyncIterator]()
  return {
    read: () => iterator.next(),
    stop: () => {
      if (typeof destroy === 'function') destroy.call(values)
      else void iterator.return?.().catch(() => undefined)
    },
  }
}
