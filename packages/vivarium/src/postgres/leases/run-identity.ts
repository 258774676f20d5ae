import type { ConnectionTarget } from '../connection/target.ts'
import type { CopyStrategy } from '../template/create-database.ts'
import type { SequenceState } from '../template/template-note.ts'

/** What another process needs to take clones of a run: plain data. */
export interface RunIdentity {
  readonly runId: string
  readonly templateDatabase: string
  readonly maintenance: ConnectionTarget
  /** As the role that owns the clones; `database` is replaced by a clone's. */
  readonly application: ConnectionTarget
  /** `server_version_num` */
  readonly versionNumber: number
  /** How many clones the run may have at once. */
  readonly maxClones: number
  readonly strategy: CopyStrategy
  /** Size of the template. */
  readonly templateBytes: number
  /** Statements in two halves, with a clone's quoted name between, for what CREATE DATABASE does not copy. */
  readonly databaseSettings: readonly (readonly [string, string])[]
  /** The sequences that are not in their initial state in the template. */
  readonly sequences: readonly SequenceState[]
}
