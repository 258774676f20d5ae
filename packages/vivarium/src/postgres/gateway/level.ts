import type { Recorder } from '../../core/interactions.ts'
import type { Settings } from './settings.ts'
import type { ConstraintCheck, Routines, SequenceSnapshot } from './template-facts.ts'

/** One sandbox on a world's stack: the outermost is a real transaction, each one inside it a savepoint. */
export interface Level {
  readonly title: string
  readonly recorder: Recorder
  readonly openedAt: number
  /** Its savepoint exists: something ran in it. */
  started: boolean
  /** Settings of the real session when its savepoint was made. */
  settingsAtStart: Settings
  /** The sequences when it opened. */
  readonly sequences: SequenceSnapshot
  constraintCheck: ConstraintCheck
  routines: Routines
  /** Something in it may have changed the catalogue. */
  changedCatalogue: boolean
  /** Transactions of the application so far. */
  transactions: number
  /** Where now() was read first: which unit or transaction of the application. */
  readNowIn?: string
  /** Units run so far, to know whether what was read of its state still holds. */
  units: number
  /** Pairs of statements of which one ran inside the other's transaction, and that was said. */
  readonly nestedPairs: Set<string>
}

/** Real name of a level's savepoint. */
export function levelSavepoint(index: number): string {
  return `vivarium_level${index}`
}
