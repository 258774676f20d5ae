import type { Strike } from '../core/faults.ts'
import type { Arrival } from './answer-request.ts'
import { type PlainAnswer, plainAnswer } from './answer.ts'
import type { Outgoing } from './behave.ts'

/** How a request fails: what the service answers. */
export interface RequestFailure {
  /** @default 500 */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
}

/** The fault that is due for a request that has come. */
export function strikeOf({ owner, observed }: Arrival): Strike | undefined {
  const { faults } = owner.recorder
  if (!faults.awaits('http')) return undefined
  return faults.strike('http', observed, () => `${observed.method} ${observed.url}`)
}

/** What a fault does to a request; `answer` is what would be answered otherwise, and is asked where it takes effect all the same. */
export async function breakRequest(strike: Strike, answer: () => Promise<Outgoing>): Promise<Outgoing> {
  if (strike.kind === 'fails') return { do: 'answer', answer: failureOf(strike), afterMs: 0, cut: undefined }
  if (strike.moment === 'after') await answer()
  return strike.kind === 'timesOut' ? { do: 'nothing', withheld: strike } : { do: 'reset' }
}

function failureOf({ failure, injected }: Strike): PlainAnswer {
  const { status = 500, headers, json } = (failure ?? {}) as RequestFailure
  const body = json ?? { error: { message: `a fault, set at ${injected.setAt}` } }
  return plainAnswer({ status, json: body, ...(headers !== undefined && { headers }) })
}
