import { AsyncLocalStorage } from 'node:async_hooks'
import { openOncePerWorker } from '../../core/registry.ts'
import { answerOfResponse, type PlainAnswer } from '../answer.ts'
import { type ReceivedRequest, toFetchRequest } from '../received-request.ts'

/** Headers that are about one connection, or about an encoding that `fetch` has undone. */
const notForwarded = ['connection', 'keep-alive', 'transfer-encoding', 'content-encoding', 'content-length']

function forwarding(): AsyncLocalStorage<true> {
  return openOncePerWorker('http forwarding', () => new AsyncLocalStorage())
}

/** Whether this flow is Vivarium's own way to a real service. */
export function isForwarding(): boolean {
  return forwarding().getStore() === true
}

/** The real service's answer. */
export async function forward(received: ReceivedRequest, signal: AbortSignal): Promise<PlainAnswer> {
  const request = toFetchRequest(received)
  const response = await forwarding().run(true, () => fetch(request, { redirect: 'manual', signal }))
  const answer = answerOfResponse(response)
  return { ...answer, headers: answer.headers.filter(([name]) => !notForwarded.includes(name)) }
}
