import { VivariumError } from '../core/errors.ts'
import type { Behaviour } from './behaviours.ts'

/** An answer in short: what is left out is left out of the answer as well; the status is then 200. */
export interface AnswerOptions {
  /** @default 200 */
  status?: number
  headers?: Readonly<Record<string, string | readonly string[]>>
  /** The body, as JSON with its content type. */
  json?: unknown
  /** The body, as a text. */
  text?: string
  /** The body, as bytes. */
  bytes?: Uint8Array
}

/** What a service answers: in short, as a `Response`, as a {@link Behaviour}, or a function that makes one of these. */
export type Answer = AnswerOptions | Response | Behaviour | ((request: Request) => Answered | Promise<Answered>)

type Answered = AnswerOptions | Response | Behaviour

/** A valid answer out of the service's contract, with that status or its own choice. */
export interface ContractExample {
  readonly example: number | undefined
}

/** An answer on its way out. */
export interface PlainAnswer {
  readonly status: number
  readonly statusText: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Uint8Array | ReadableStream<Uint8Array> | undefined
}

const encoder = new TextEncoder()

/** An answer from its short form. */
export function plainAnswer({ status = 200, headers = {}, json, text, bytes }: AnswerOptions): PlainAnswer {
  const named = Object.entries(headers).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((one): [string, string] => [name.toLowerCase(), one]),
  )
  const body = json === undefined ? (bytes ?? encoded(text)) : encoded(JSON.stringify(json))
  const type = json === undefined ? (text === undefined ? undefined : 'text/plain; charset=utf-8') : 'application/json'
  const typed = type === undefined || named.some(([name]) => name === 'content-type')
  return { status, statusText: '', headers: typed ? named : [['content-type', type], ...named], body }
}

/** An answer from a handler's `Response`. Throws when its body was read before. */
export function answerOfResponse(response: Response): PlainAnswer {
  if (response.bodyUsed) {
    throw new VivariumError('HTTP_HANDLER_FAILED', {
      what: 'A handler answered with a Response that was an answer before: its body has been read.',
      remedy: 'Make a new Response for each request, inside the handler.',
    })
  }
  const headers = [...response.headers].map(([name, value]): [string, string] => [name, value])
  return { status: response.status, statusText: response.statusText, headers, body: response.body ?? undefined }
}

/** The answer with its whole body read. */
export async function wholeAnswer(
  answer: PlainAnswer,
): Promise<PlainAnswer & { readonly body: Uint8Array | undefined }> {
  const { body } = answer
  if (body === undefined || body instanceof Uint8Array) return { ...answer, body }
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return { ...answer, body: Buffer.concat(chunks) }
}

function encoded(text: string | undefined): Uint8Array | undefined {
  return text === undefined ? undefined : encoder.encode(text)
}
