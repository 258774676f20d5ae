import { findFunctionCalls, integerTypes } from './function-calls.ts'
import type { SqlArgument } from './function-calls.ts'

/** What a call does to a session's advisory locks. */
export interface AdvisoryCall {
  readonly action: 'lock' | 'unlock' | 'unlockAll'
  /** The unlocking function of the same kind: shared or not. */
  readonly unlock: string
  readonly key: readonly SqlArgument[]
}

/** The calls in a text that take or give back advisory locks of the session; those of the transaction are no such calls. */
export function findAdvisoryCalls(text: string): AdvisoryCall[] {
  const pattern = /^pg_(?:try_)?advisory_(lock|unlock)(_shared|_all)?$/
  return findFunctionCalls(text, (name) => pattern.test(name), integerTypes).map(({ name, args }) => {
    const [, action, variant] = pattern.exec(name) ?? []
    const kind = variant === '_all' ? 'unlockAll' : (action as 'lock' | 'unlock')
    return { action: kind, unlock: `pg_advisory_unlock${variant === '_shared' ? variant : ''}`, key: args }
  })
}
