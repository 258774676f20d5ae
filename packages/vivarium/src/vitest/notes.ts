import type { FidelityWarning } from '../core/interactions.ts'
import type { Isolation } from '../core/options.ts'
import type { Sandbox } from '../vivarium/sandbox.ts'

/** What Vivarium saw in one test, or in a file around its tests. Plain JSON: reporters find it as `meta.vivarium`. */
export interface TestNotes {
  readonly isolation: Isolation
  /** Sandboxes opened: one per attempt of a test. */
  readonly sandboxes: number
  /** Statements that crossed between the application and Postgres. */
  readonly statements: number
  readonly fidelityWarnings: readonly FidelityWarning[]
  /** What broke when a sandbox closed, one message each, over all attempts. */
  readonly closeFailures: readonly string[]
}

/** `notes` with what `sandbox` saw, and what broke when it closed. */
export function addNotes(notes: TestNotes | undefined, sandbox: Sandbox, errors: readonly unknown[]): TestNotes {
  const messages = errors.map((error) => (error instanceof Error ? error.message : String(error)))
  return {
    isolation: sandbox.isolation,
    sandboxes: (notes?.sandboxes ?? 0) + 1,
    statements: (notes?.statements ?? 0) + sandbox.queries.length,
    fidelityWarnings: [...(notes?.fidelityWarnings ?? []), ...sandbox.fidelityWarnings],
    closeFailures: [...(notes?.closeFailures ?? []), ...messages],
  }
}
