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
  /**
   * Gives the clone back, for the next `acquire`; with `drop`, or when it is disposable, it is dropped. A second call does
   * nothing.
   */
  release(options?: ReleaseOptions): Promise<void>
}

export interface ReleaseOptions {
  /** The clone must not be used again: something was committed into it. @default false */
  drop?: boolean
  /** What still has to end in a disposable clone: it is dropped behind that. */
  after?: Promise<unknown>
}

/** A leased database to copy in place of the template. */
export interface LeaseSource {
  readonly lease: Lease
  /** Goes up when its content may have changed: copies of another version are not handed out. */
  readonly version: number
  /**
   * Whether nothing is connected to it, so that copies may be made ahead; a connection made during such a copy waits for
   * its end. Left out, none are.
   */
  isQuiet?(): boolean
}

export interface AcquireLeaseOptions {
  /** How long to wait for a clone. Milliseconds. @default 60_000 */
  deadlineMs?: number
  /**
   * The clone is for real commits and dropped after use: releasing it returns at once and drops in the background, and
   * the pool keeps some ready ahead. @default false
   */
  disposable?: boolean
  /** Copies this database, for a disposable lease. Nothing may be connected to it until the lease is there. */
  source?: LeaseSource
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
  /**
   * Whoever keeps leases without need says how one is given up: it is asked while somebody waits and there are as many
   * clones as there may be. It resolves to whether it had one.
   */
  onShortage(giveUp: () => Promise<boolean>): void
  /**
   * Gives all leases back. The clones that may be used again stay, for other processes of the run; the dropping of the
   * others is waited for.
   */
  close(): Promise<void>
}
