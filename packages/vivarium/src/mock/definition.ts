import type { SandboxOwner } from '../core/owner.ts'
import type { RuntimeContract } from './contract.ts'

/** The key of the one function of a contract that is itself a function. */
export const itself = ''

/** What `defineMock` was told: the same in every sandbox. */
export interface MockDefinition {
  readonly name: string
  readonly contract: RuntimeContract | undefined
  readonly settleMs: number
  /** Open sandboxes in which something was said about it: for the message to a call that came elsewhere. */
  readonly usedIn: Set<SandboxOwner>
}

/** A function as messages name it: `PaymentGateway.charge`. */
export function fullName({ name }: MockDefinition, fn: string): string {
  return fn === itself ? name : `${name}.${fn}`
}

/** A function as it is called in messages: `charge`. */
export function shortName({ name }: MockDefinition, fn: string): string {
  return fn === itself ? name : fn
}
