import { TextDecoder } from 'node:util'

/** One server-sent event. */
export interface ServerSentEvent {
  /** `message` where the stream says nothing else. */
  readonly type: string
  readonly data: string
  /** The last id that the stream has given, with this event or before it; `undefined` before the first. */
  readonly id: string | undefined
}

/**
 * Reads server-sent events, whatever the chunks are (WHATWG HTML, 9.2.6 "Interpreting an event stream"). A stream that ends in the middle of
 * an event has not sent it.
 */
export class EventStreamParser {
  /** Milliseconds that a client is to wait before it connects again; `undefined` where the stream does not say. */
  retryMs: number | undefined
  readonly #decoder: TextDecoder = new TextDecoder()
  #line = ''
  #endsWithReturn = false
  #type = ''
  #data: string[] = []
  #id: string | undefined

  /** The events that are complete with this chunk. */
  push(chunk: Uint8Array | string): readonly ServerSentEvent[] {
    const text = typeof chunk === 'string' ? chunk : this.#decoder.decode(chunk, { stream: true })
    if (text === '') return []
    // Of a CR LF that is cut in two the LF is still to come: it is not the end of another line.
    const fresh = this.#endsWithReturn && text.startsWith('\n') ? text.slice(1) : text
    this.#endsWithReturn = text.endsWith('\r')
    const lines = (this.#line + fresh).split(/\r\n|\r|\n/)
    this.#line = lines.pop()!
    return lines.flatMap((line) => this.#take(line))
  }

  #take(line: string): readonly ServerSentEvent[] {
    if (line === '') return this.#dispatch()
    const colon = line.indexOf(':')
    // What begins with a colon is a comment.
    if (colon === 0) return []
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    switch (field) {
      case 'event':
        this.#type = value
        break
      case 'data':
        this.#data.push(value)
        break
      case 'id':
        if (!value.includes('\0')) this.#id = value
        break
      case 'retry':
        if (/^\d+$/.test(value)) this.retryMs = Number(value)
        break
    }
    return []
  }

  #dispatch(): readonly ServerSentEvent[] {
    const [type, data] = [this.#type || 'message', this.#data]
    this.#type = ''
    this.#data = []
    return data.length === 0 ? [] : [{ type, data: data.join('\n'), id: this.#id }]
  }
}
