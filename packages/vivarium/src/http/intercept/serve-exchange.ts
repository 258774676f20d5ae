import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ObservedRequest } from '../../core/interactions.ts'
import { answerRequest, type Arrival } from '../answer-request.ts'
import type { Exchange } from '../exchange.ts'
import { HttpPart } from '../http-part.ts'
import { handlerFailed } from '../messages.ts'
import { headerRecord, type ReceivedRequest, textOrBytes } from '../received-request.ts'
import { serviceOf } from '../service-definition.ts'
import { type Mutable, sendAnswer } from './send-answer.ts'

/** Reads one request, has it answered in its sandbox, and answers it on the connection. */
export function serveExchange(exchange: Exchange, url: URL, request: IncomingMessage, response: ServerResponse): void {
  const { owner } = exchange
  const service = serviceOf(url)
  const observed: Mutable<ObservedRequest> = {
    component: 'http',
    service: service?.name,
    method: request.method ?? 'GET',
    url: url.href,
    headers: {},
    body: undefined,
    status: undefined,
    responseBody: undefined,
    durationMs: undefined,
    error: undefined,
    at: exchange.at,
  }
  const end = (error?: string): void => {
    if (observed.durationMs !== undefined) return
    observed.durationMs = exchange.durationMs
    observed.error = error
    exchange.end()
  }
  response.on('close', () => end(response.writableFinished ? undefined : 'the client closed the connection'))
  const onGone = (): void => {
    if (response.writableFinished) return
    // Ended by its sandbox: nobody is to wait for an answer that will not come.
    end('its sandbox closed')
    request.socket.destroy()
  }
  exchange.gone.addEventListener('abort', onGone, { once: true })

  const serve = async (): Promise<void> => {
    const headers = headersOf(request, url)
    observed.headers = headerRecord(headers)
    // Before its body is there: one that stands still in the middle of it is under way, too.
    HttpPart.of(owner).arrive(exchange, observed)
    const body = await bodyOf(request).catch(() => 'broken off' as const)
    if (body === 'broken off') return end('the client closed the connection')
    observed.body = textOrBytes(body)
    const received: ReceivedRequest = { method: observed.method, url, headers, body }
    const broken: Arrival['broken'] = (fault) => void (observed.fault = fault)
    const arrival: Arrival = { owner, received, observed, service, broken }
    const outgoing = await exchange.run(() => answerRequest(arrival))
    await sendAnswer(outgoing, { received, observed, exchange, response, end })
  }
  serve().catch((error: unknown) => {
    // Of an answer that nobody waits for, it does not matter how it ended.
    if (exchange.state !== 'ended') HttpPart.of(owner).break(handlerFailed(observed, undefined, error))
    request.socket.destroy()
    end(error instanceof Error ? error.message : String(error))
  })
}

function headersOf(request: IncomingMessage, url: URL): ReceivedRequest['headers'] {
  const headers: [string, string][] = []
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index]!.toLowerCase()
    // About this connection, which is not the one that the client asked for.
    if (name === 'connection' || name === 'keep-alive' || name === 'transfer-encoding') continue
    headers.push([name, name === 'host' ? url.host : request.rawHeaders[index + 1]!])
  }
  return headers
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk as Uint8Array)
  return chunks.length === 0 ? undefined : Buffer.concat(chunks)
}
