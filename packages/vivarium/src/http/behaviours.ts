import type { Answer } from './answer.ts'

/**
 * How a service behaves when it is not well. Each is an answer (`service.stub('GET /').replies(slow(200, { json }))`) and the state of a whole
 * service (`service.becomes(slow(200))`). Plain data.
 */
export type Behaviour =
  | { readonly behaves: 'down' }
  | { readonly behaves: 'slow'; readonly ms: number; readonly answer: Answer | undefined }
  | { readonly behaves: 'timeOut' }
  | { readonly behaves: 'reset'; readonly answer: Answer | undefined }
  | { readonly behaves: 'rateLimited'; readonly seconds: number }
  | { readonly behaves: 'failsOnce'; readonly status: number; readonly answer: Answer | undefined }
  | { readonly behaves: 'redirect'; readonly to: string; readonly status: number }
  | { readonly behaves: 'truncated'; readonly answer: Answer | undefined }

/** Nobody listens: the connection is refused. As the answer to one request, which has come by then, the connection is reset. */
export function down(): Behaviour {
  return { behaves: 'down' }
}

/** The answer comes after `ms` milliseconds. */
export function slow(ms: number, answer?: Answer): Behaviour {
  return { behaves: 'slow', ms, answer }
}

/** There is never an answer; the connection stays open until the client gives up. */
export function timeOut(): Behaviour {
  return { behaves: 'timeOut' }
}

/** The connection is reset in the middle of the answer's body; before the answer, when that has none. */
export function reset(answer?: Answer): Behaviour {
  return { behaves: 'reset', answer }
}

/** 429, with Retry-After: `seconds`. @param seconds default 1 */
export function rateLimited(seconds = 1): Behaviour {
  return { behaves: 'rateLimited', seconds }
}

/** The first request in a sandbox is answered `status`, the next ones are answered as ever. @param status default 500 */
export function failsOnce(status = 500, answer?: Answer): Behaviour {
  return { behaves: 'failsOnce', status, answer }
}

/** A redirect to another URL. @param status default 307, which keeps method and body */
export function redirect(to: string, status = 307): Behaviour {
  return { behaves: 'redirect', to, status }
}

/** The answer's body ends in the middle, as if that were its end: JSON that cannot be read. */
export function truncated(answer?: Answer): Behaviour {
  return { behaves: 'truncated', answer }
}

/** Whether an answer is one of the behaviours. */
export function isBehaviour(answer: object): answer is Behaviour {
  return 'behaves' in answer
}
