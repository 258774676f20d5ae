import { VivariumError } from '../core/errors.ts'
import type { MessageSource } from '../core/message-source.ts'
import { EventStreamParser } from './event-stream-parser.ts'
import { type ReadableValues, readValues } from './read-values.ts'

/** What is used of the Response of `fetch`. */
export interface EventStreamResponse {
  readonly status: number
  readonly url: string
  readonly headers: { get(name: string): string | null }
  readonly body: ReadableValues<Uint8Array> | null
}

/** A stream of server-sent events: a response, or its bytes. */
export type EventStream = EventStreamResponse | ReadableValues<Uint8Array | string>

/**
 * Server-sent events, each with its type as the topic and its data as the payload: those of a `Response`, or of its bytes. It does not
 * connect again: a stream that ends has ended. Closing the inbox cancels the response.
 *
 * @throws VivariumError EVENT_STREAM_REFUSED when the inbox is opened on a response that is none.
 *
 * @example
 * ```ts
 * import { expect } from 'vitest'
 * import { fromEventStream, openInbox } from 'vivarium/pubsub'
 *
 * const response = await fetch('http://127.0.0.1:3000/notifications', { headers: { accept: 'text/event-stream' } })
 * const inbox = await openInbox(fromEventStream(response))
 * // … the application notifies …
 * await expect(inbox).toReceive({ title: 'Shipped' }, { topic: 'notification' })
 * ```
 */
export function fromEventStream(stream: EventStream, { name = nameOf(stream) }: { name?: string } = {}): MessageSource {
  return {
    name,
    open: ({ deliver, ended }) => {
      const parser = new EventStreamParser()
      const take = (chunk: Uint8Array | string): void => {
        for (const { type, data, id } of parser.push(chunk)) deliver({ topic: type, data, id })
      }
      return readValues(bytesOf(stream, name), take, { ended })
    },
  }
}

function nameOf(stream: EventStream): string {
  return isResponse(stream) && stream.url !== '' ? `events of ${stream.url}` : 'event stream'
}

function isResponse(stream: EventStream): stream is EventStreamResponse {
  return 'headers' in stream && 'body' in stream
}

function bytesOf(stream: EventStream, name: string): ReadableValues<Uint8Array | string> {
  if (!isResponse(stream)) return stream
  const { status, headers, body } = stream
  const type = headers.get('content-type')
  if (status === 200 && type !== null && /^text\/event-stream\s*(;|$)/i.test(type) && body !== null) return body
  throw new VivariumError('EVENT_STREAM_REFUSED', {
    what: `The response is no stream of server-sent events: ${name}.`,
    seen: `status ${status}, content type ${type ?? 'none'}${body === null ? ', no body' : ''}`,
    remedy:
      'Look why the application answers like that: a browser’s EventSource takes status 200 with content type text/event-stream only.',
  })
}
