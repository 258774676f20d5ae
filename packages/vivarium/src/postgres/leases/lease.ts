import type { ConnectionTarget } from '../connection/target.ts'

/** Exclusive hold of one cloned database. */
export interface Lease {
  readonly database: string
  /** The database, as the role that owns it. */
  readonly target: ConnectionTarget
  /**
   * `false` when the clone may have been used by an earlier process, which may have died in the middle of a test: its
   * data rolled back, its sequences did not. Run {@link Lease.resetSequences} before anything else then.
   */
  readonly fresh: boolean
  /** A statement that puts every sequence into the state it has in the template. */
  readonly resetSequences: string
  /** Resolves with the reason when the lease was lost: somebody else may use the database from then on. */
  readonly lost: Promise<Error>
  /** Gives the clone back, for the next `acquire`; with `drop` it is dropped. A second call does nothing. */
  release(options?: ReleaseOptions): Promise<void>
}

export interface ReleaseOptions {
  /** The clone must not be used again: something was committed into it. @default false */
  drop?: boolean
}

export interface AcquireLeaseOptions {
  /** How long to wait for a clone. Milliseconds. @default 60_000 */
  deadlineMs?: number
}

/** The leases of one process (or thread). */
export interface LeasePool extends AsyncDisposable {
  /**
   * A clone of one's own: one that this pool has at hand, else a free one of the run, else a new one.
   *
   * @throws VivariumError LEASE_WAIT_TIMEOUT, RUN_ENDED, LEASE_LOST, DATABASE_NOT_CREATED, SERVER_POOLED,
   * VIVARIUM_CLOSED
   */
  acquire(options?: AcquireLeaseOptions): Promise<Lease>
  /** Gives all leases back; the clones stay, for other processes of the run. */
  close(): Promise<void>
}
