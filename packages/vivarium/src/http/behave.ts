import { type PlainAnswer, plainAnswer } from './answer.ts'
import type { Strike } from '../core/faults.ts'
import type { Behaviour } from './behaviours.ts'

/** What the server does to a request. */
export type Outgoing =
  | {
      readonly do: 'answer'
      readonly answer: PlainAnswer
      readonly afterMs: number
      /** The body ends in the middle: as if that were its end, or with a reset of the connection. */
      readonly cut: 'end' | 'reset' | undefined
    }
  | { readonly do: 'reset' }
  /** `withheld`: by a fault, which answers for it when the sandbox closes. */
  | { readonly do: 'nothing'; readonly withheld?: Strike }
  /** To the service itself. */
  | { readonly do: 'forward' }

/** A behaviour at work; `answer` is what would be answered otherwise, and is not asked where that does not matter. */
export async function behave(
  behaviour: Behaviour,
  failed: WeakSet<object>,
  answer: () => Promise<Outgoing>,
): Promise<Outgoing> {
  switch (behaviour.behaves) {
    case 'down':
      return { do: 'reset' }
    case 'timeOut':
      return { do: 'nothing' }
    case 'slow':
      return delayed(await answer(), behaviour.ms)
    case 'reset':
      return cut(await answer(), 'reset')
    case 'truncated':
      return cut(await answer(), 'end')
    case 'rateLimited': {
      const headers = { 'retry-after': String(behaviour.seconds) }
      return at(plainAnswer({ status: 429, headers, json: { error: { message: 'Too many requests' } } }))
    }
    case 'redirect':
      return at(plainAnswer({ status: behaviour.status, headers: { location: behaviour.to } }))
    case 'failsOnce': {
      if (failed.has(behaviour)) return answer()
      failed.add(behaviour)
      return at(plainAnswer({ status: behaviour.status, json: { error: { message: 'Failed once' } } }))
    }
  }
}

function at(answer: PlainAnswer): Outgoing {
  return { do: 'answer', answer, afterMs: 0, cut: undefined }
}

function delayed(outgoing: Outgoing, ms: number): Outgoing {
  return outgoing.do === 'answer' ? { ...outgoing, afterMs: outgoing.afterMs + ms } : outgoing
}

function cut(outgoing: Outgoing, how: 'end' | 'reset'): Outgoing {
  return outgoing.do === 'answer' ? { ...outgoing, cut: how } : outgoing
}
