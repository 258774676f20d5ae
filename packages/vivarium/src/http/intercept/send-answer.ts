import type { ServerResponse } from 'node:http'
import { nextTurn, realClearTimeout, realSetTimeout } from '../../core/clock.ts'
import type { Strike } from '../../core/faults.ts'
import type { ObservedRequest } from '../../core/interactions.ts'
import { type PlainAnswer, wholeAnswer } from '../answer.ts'
import type { Outgoing } from '../behave.ts'
import type { Exchange } from '../exchange.ts'
import { type ReceivedRequest, textOrBytes } from '../received-request.ts'
import { forward } from './forward.ts'

/** What may be written to, until it is told. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** A request that is to be answered on its connection. */
interface Asked {
  readonly received: ReceivedRequest
  readonly observed: Mutable<ObservedRequest>
  readonly exchange: Exchange
  readonly response: ServerResponse
  /** Ends the record where there is no whole answer. */
  readonly end: (error: string) => void
}

/** What is kept of an answer's body in the record. */
const mostRecorded = 64 * 1024

/** Does to the connection what has been decided. */
export async function sendAnswer(outgoing: Outgoing, asked: Asked): Promise<void> {
  const { exchange, response, end } = asked
  switch (outgoing.do) {
    case 'nothing':
      if (outgoing.withheld !== undefined) withhold(outgoing.withheld, asked)
      return
    case 'reset':
      resetConnection(response)
      return end('the connection was reset')
    case 'forward':
      return write(await exchange.run(() => forward(asked.received, exchange.gone)), asked)
    case 'answer': {
      await delay(outgoing.afterMs, exchange.gone)
      if (exchange.gone.aborted) return
      if (outgoing.cut === undefined) return write(outgoing.answer, asked)
      const answer = await wholeAnswer(outgoing.answer)
      const half = answer.body?.subarray(0, Math.floor(answer.body.length / 2))
      if (outgoing.cut === 'end') return write({ ...answer, body: half }, asked)
      await writeHalf(answer, half, asked)
      resetConnection(response)
      return end('the connection was reset in the middle of the answer')
    }
  }
}

/** Until its client gives up, or the sandbox closes. */
function withhold(strike: Strike, { exchange, response, end }: Asked): void {
  const forget = exchange.owner.recorder.faults.hold(strike, () => {
    end('a fault withheld the answer')
    resetConnection(response)
  })
  exchange.gone.addEventListener('abort', forget, { once: true })
}

async function write(answer: PlainAnswer, { observed, response }: Asked): Promise<void> {
  const { body } = answer
  if (body === undefined || body instanceof Uint8Array) {
    writeHead(answer, body?.length ?? 0, observed, response)
    observed.responseBody = textOrBytes(body?.subarray(0, mostRecorded))
    response.end(body)
    return
  }
  writeHead(answer, undefined, observed, response)
  const recorded: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    if (length < mostRecorded) recorded.push(chunk)
    length += chunk.length
    observed.responseBody = textOrBytes(Buffer.concat(recorded).subarray(0, mostRecorded))
    if (response.destroyed) return
    if (!response.write(chunk)) await drained(response)
  }
  response.end()
}

/** Announces the whole body, and sends half of it. */
async function writeHalf(
  answer: PlainAnswer & { readonly body: Uint8Array | undefined },
  half: Uint8Array | undefined,
  { observed, response }: Asked,
): Promise<void> {
  if (half === undefined || half.length === 0) return
  writeHead(answer, answer.body?.length, observed, response)
  observed.responseBody = textOrBytes(half)
  await new Promise<void>((resolve) => void response.write(half, () => resolve()))
  // A reset throws away what its receiver has not read yet: a client in this process reads in the next turn.
  for (let turn = 0; turn < 3; turn++) await nextTurn()
}

function writeHead(
  { status, statusText, headers }: PlainAnswer,
  length: number | undefined,
  observed: Mutable<ObservedRequest>,
  response: ServerResponse,
): void {
  // The length is that of the bytes which are sent; none belongs to an answer that has no body by its status.
  const raw = headers.filter(([name]) => name !== 'content-length').flat()
  if (length !== undefined && status !== 204 && status !== 304) raw.push('content-length', String(length))
  observed.status = status
  if (statusText === '') response.writeHead(status, raw)
  else response.writeHead(status, statusText, raw)
}

function resetConnection(response: ServerResponse): void {
  response.socket?.resetAndDestroy()
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => void response.once('drain', resolve).once('close', resolve))
}

function delay(ms: number, gone: AbortSignal): Promise<void> {
  if (ms === 0) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = realSetTimeout(resolve, ms)
    gone.addEventListener('abort', () => {
      realClearTimeout(timer)
      resolve()
    })
  })
}
