export interface OpenEventStreamOptions {
  /** Between two signs of life on a quiet stream, in milliseconds. */
  readonly heartbeatMs: number
  /** It ends after so many milliseconds at most: who comes back is asked again who they are. @default 15 minutes */
  readonly lifetimeMs?: number
  /** Any of them ends the stream. */
  readonly signals: readonly AbortSignal[]
  /** A client that is so many messages behind is let go: it is to come back, and not to fill our memory. @default 100 */
  readonly mostWaiting?: number
}

export interface EventStream {
  readonly body: ReadableStream<Uint8Array>
  /** Sends one event, as JSON. Nothing happens when the stream has ended. */
  send(type: string, data: unknown): void
  end(): void
  /** Resolves when it has ended, however that came. */
  readonly ended: Promise<void>
}

/** Server-sent events: what is sent waits, within bounds, until the client has read what was sent before. */
export function openEventStream(options: OpenEventStreamOptions): EventStream {
  const { heartbeatMs, lifetimeMs = 15 * 60_000, signals, mostWaiting = 100 } = options
  const encoder = new TextEncoder()
  let controller: ReadableStreamDefaultController<Uint8Array>
  let hasEnded = false
  let resolveEnded = (): void => {}
  const ended = new Promise<void>((resolve) => (resolveEnded = resolve))

  const body = new ReadableStream<Uint8Array>(
    { start: (started) => void (controller = started), cancel: () => release() },
    new CountQueuingStrategy({ highWaterMark: mostWaiting }),
  )

  function write(text: string): void {
    if (hasEnded) return
    if (controller.desiredSize! > 0) controller.enqueue(encoder.encode(text))
    else end()
  }

  function release(): void {
    if (hasEnded) return
    hasEnded = true
    clearInterval(heartbeat)
    clearTimeout(lifetime)
    for (const signal of signals) signal.removeEventListener('abort', end)
    resolveEnded()
  }

  function end(): void {
    if (hasEnded) return
    release()
    controller.close()
  }

  const heartbeat = setInterval(() => write(': still here\n\n'), heartbeatMs).unref()
  const lifetime = setTimeout(end, lifetimeMs).unref()
  // The first bytes carry the headers with them; a client that loses us is to wait a second before it comes back.
  write('retry: 1000\n\n')
  for (const signal of signals) {
    if (signal.aborted) end()
    else signal.addEventListener('abort', end)
  }
  return { body, send: (type, data) => write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`), end, ended }
}
