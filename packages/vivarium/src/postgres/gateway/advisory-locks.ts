import { findAdvisoryCalls } from '../sql/advisory-locks.ts'
import type { AdvisoryCall } from '../sql/advisory-locks.ts'

/** The advisory locks that one connection has taken for its session, as far as its statements show them. */
export class AdvisoryLocks {
  /** How often each is held, by the statement that gives it back once. */
  readonly #held = new Map<string, number>()
  /** A lock was taken whose key is computed. */
  #hasUnknown = false

  get isEmpty(): boolean {
    return this.#held.size === 0 && !this.#hasUnknown
  }

  /** A statement that may take or give back some has completed. */
  note(text: string, params: readonly (string | Uint8Array | null)[]): void {
    for (const call of findAdvisoryCalls(text)) {
      if (call.action === 'unlockAll') {
        this.#held.clear()
        this.#hasUnknown = false
        continue
      }
      const unlock = unlockStatement(call, params)
      if (unlock === undefined) this.#hasUnknown ||= call.action === 'lock'
      else this.#count(unlock, call.action === 'lock' ? 1 : -1)
    }
  }

  #count(unlock: string, change: number): void {
    const count = (this.#held.get(unlock) ?? 0) + change
    if (count > 0) this.#held.set(unlock, count)
    else this.#held.delete(unlock)
  }

  /** Statements that give all of them back; `alone`: no other connection of the session holds any. */
  release(alone: boolean): string[] {
    if (this.isEmpty) return []
    if (alone) return ['SELECT pg_catalog.pg_advisory_unlock_all()']
    return [...this.#held].flatMap(([unlock, count]) => Array.from({ length: count }, () => unlock))
  }
}

function unlockStatement(
  { unlock, key }: AdvisoryCall,
  params: readonly (string | Uint8Array | null)[],
): string | undefined {
  const values = key.map((argument) => {
    const value =
      argument.kind === 'literal'
        ? argument.value
        : argument.kind === 'parameter'
          ? params[argument.index - 1]
          : undefined
    return typeof value === 'string' && /^-?\d+$/.test(value) ? value : undefined
  })
  if (values.length === 0 || values.includes(undefined)) return undefined
  // One key is a bigint, two are integers: the server tells the functions apart by that.
  const type = values.length === 1 ? 'int8' : 'int4'
  return `SELECT pg_catalog.${unlock}(${values.map((value) => `'${value}'::pg_catalog.${type}`).join(', ')})`
}
