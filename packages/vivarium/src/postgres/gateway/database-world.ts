import { nextTurn, now } from '../../core/clock.ts'
import { VivariumError } from '../../core/errors.ts'
import type { Recorder } from '../../core/interactions.ts'
import type { ConnectionBudget } from '../connection/connection-budget.ts'
import { openPostgresClient } from '../connection/client.ts'
import type { Lease, LeasePool, LeaseSource } from '../leases/lease.ts'
import { endOfSandbox, leftOpen, stillRunning } from './close-sandbox.ts'
import type { ConnectionActivity } from './close-sandbox.ts'
import { DirectConnection } from './direct-connection.ts'
import type { DirectSink } from './direct-connection.ts'

/** A virtual connection that has, or is about to have, a real connection to a sandbox's database. */
export interface DirectGuest extends ConnectionActivity {
  readonly id: number
  readonly isInTransaction: boolean
  /** It goes on without its real connection, which has been left; its next unit finds another one. */
  detached(): void
  /** The client's connection is ended like by an administrator. */
  terminate(message: ReturnType<typeof endOfSandbox>): void
}

/** How long a statement may go on whose client has gone, before it is reported. Milliseconds. */
const abandonedMs = 100

/** A guest's place, which may still be waiting for its connection. */
interface Seat {
  connection: DirectConnection | undefined
}

/** How a sandbox of isolation `'database'` is set up. */
export interface DatabaseWorldOptions {
  readonly title: string
  readonly recorder: Recorder
  readonly leases: LeasePool
  /** How many connections there may be. */
  readonly budget: ConnectionBudget
  /** The sandbox of the same isolation that it is nested in: its database as it is now is where this one starts from. */
  readonly base: DatabaseWorld | undefined
}

/**
 * One sandbox with a database of its own: the lease, taken when its first statement comes, and the real connections to
 * it. A sandbox that never speaks to Postgres costs nothing.
 *
 * unused → leased (first unit) → closed; broken when the lease or its server is lost
 */
export class DatabaseWorld {
  readonly title: string
  readonly recorder: Recorder
  readonly openedAt: number = now()
  /** Set when the database can no longer be used. */
  broken: Error | undefined
  /** Counts what may have changed the database, so that a copy of it is known to be up to date. */
  version = 0
  readonly #base: DatabaseWorld | undefined
  readonly #leases: LeasePool
  readonly #budget: ConnectionBudget
  readonly #guests = new Map<DirectGuest, Seat>()
  readonly #leaving = new Set<DirectConnection>()
  /** What ran when its client went away. */
  readonly #abandoned = new Map<DirectConnection, ConnectionActivity & { readonly id: number }>()
  #lease: Promise<Lease> | undefined
  readonly #reported = new Set<DirectConnection>()
  readonly #cancelling: Promise<unknown>[] = []
  #isClosed = false
  #transactions = 0
  #firstChange: string | undefined
  /** While the database is being copied nothing may be connected to it. */
  readonly #copies = new Set<Promise<unknown>>()
  readonly #connecting = new Set<Promise<unknown>>()

  constructor(options: DatabaseWorldOptions) {
    this.title = options.title
    this.recorder = options.recorder
    this.#leases = options.leases
    this.#budget = options.budget
    this.#base = options.base
  }

  nextTransactionNumber(): number {
    this.#transactions++
    return this.#transactions
  }

  noteChange(text: string): void {
    this.version++
    this.#firstChange ??= text
  }

  /** A statement by which this sandbox, or one around it, may have changed its database. */
  get firstChange(): string | undefined {
    return this.#firstChange ?? this.#base?.firstChange
  }

  /** What keeps a sandbox from being opened inside this one. */
  get busyGuest(): DirectGuest | undefined {
    return [...this.#guests.keys()].find((guest) => guest.runningText !== undefined || guest.isInTransaction)
  }

  /** Opens a real connection for a client, with its own start-up parameters. */
  async attach(
    guest: DirectGuest,
    parameters: Readonly<Record<string, string>>,
    sink: DirectSink,
  ): Promise<DirectConnection> {
    const seat: Seat = { connection: undefined }
    this.#guests.set(guest, seat)
    try {
      const lease = await this.#leased()
      while (this.#copies.size > 0) await Promise.all(this.#copies)
      this.#requireOpen()
      const target = { ...lease.target, parameters: { ...lease.target.parameters, ...parameters } }
      const opening = this.#budget.open(target, { title: `a connection of the sandbox "${this.title}"` })
      const backend = await whileIn(this.#connecting, opening)
      const connection = new DirectConnection(backend, sink)
      void connection.closed.then(() => {
        this.#leaving.delete(connection)
        this.#abandoned.delete(connection)
        if (this.#guests.get(guest) === seat) this.#guests.delete(guest)
      })
      if (this.#guests.get(guest) !== seat) {
        this.#leaving.add(connection)
        void connection.leave()
        throw new Error('nobody waits for this connection any more')
      }
      seat.connection = connection
      return connection
    } catch (error) {
      if (this.#guests.get(guest) === seat) this.#guests.delete(guest)
      throw error
    }
  }

  /** The guest goes to another sandbox, or has gone for good. */
  leave(guest: DirectGuest): void {
    const connection = this.#guests.get(guest)?.connection
    this.#guests.delete(guest)
    if (connection === undefined) return
    const { id, transactionSince, transactionText, lastText } = guest
    if (!connection.replies.isQuiet) {
      this.#abandoned.set(connection, { id, runningText: lastText, transactionSince, transactionText, lastText })
    }
    this.#leaving.add(connection)
    void connection.leave()
  }

  /** Ends the connections that do nothing; their clients get others when they need them. */
  detachIdle(): void {
    for (const [guest, { connection }] of this.#guests) {
      if (connection === undefined || guest.runningText !== undefined || guest.isInTransaction) continue
      this.leave(guest)
      guest.detached()
    }
  }

  async #leased(): Promise<Lease> {
    this.#lease ??= this.#acquire()
    const lease = this.#lease
    try {
      return await lease
    } catch (error) {
      if (this.#lease === lease) this.#lease = undefined
      this.recorder.fail(error)
      throw error
    }
  }

  async #acquire(): Promise<Lease> {
    const lease = await this.#obtain().catch((error: unknown) => {
      // Nothing was done yet with what was lost together with the other leases.
      if (error instanceof VivariumError && error.code === 'LEASE_LOST') return this.#obtain()
      throw error
    })
    void lease.lost.then((reason) => this.break(reason))
    if (!lease.fresh) {
      await using client = await openPostgresClient(lease.target)
      await client.query(lease.resetSequences)
    }
    return lease
  }

  async #obtain(): Promise<Lease> {
    const base = this.#changedBase
    if (base === undefined) return this.#leases.acquire({ disposable: true })
    return base.copy((source) => this.#leases.acquire({ disposable: true, source }))
  }

  /** The sandbox around whose database has something that the template has not. */
  get #changedBase(): DatabaseWorld | undefined {
    for (let base = this.#base; base !== undefined; base = base.#base) if (base.#firstChange !== undefined) return base
    return undefined
  }

  /** Lets `copy` read this sandbox's database: nothing is connected to it meanwhile. */
  copy<T>(copy: (source: LeaseSource) => Promise<T>): Promise<T> {
    return whileIn(this.#copies, this.#copyWith(copy))
  }

  async #copyWith<T>(copy: (source: LeaseSource) => Promise<T>): Promise<T> {
    const lease = await this.#leased()
    await Promise.all(this.#connecting)
    const busy = this.busyGuest
    if (busy !== undefined) throw busyError(this.title, busy)
    this.detachIdle()
    await Promise.all([...this.#leaving].map((connection) => connection.gone()))
    return copy({ lease, version: this.version, isQuiet: () => this.#isQuiet })
  }

  /** Nothing is connected to the database. */
  get #isQuiet(): boolean {
    return this.#guests.size === 0 && this.#leaving.size === 0
  }

  #requireOpen(): void {
    if (this.broken !== undefined) throw this.broken
    if (this.#isClosed) throw new Error(`the sandbox "${this.title}" is closed`)
  }

  /** The lease is lost: somebody else may use the database now. */
  break(reason: Error): void {
    if (this.broken !== undefined || this.#isClosed) return
    this.broken = reason
    this.recorder.fail(
      new VivariumError('SANDBOX_BROKEN', {
        what: `The sandbox "${this.title}" lost its database.`,
        seen: reason.message,
        remedy: 'See what ended the session: the server going down, a terminated backend, or a bug worth reporting.',
        cause: reason,
      }),
    )
    for (const guest of this.#guests.keys()) {
      this.leave(guest)
      guest.terminate({ code: '57P01', message: 'the sandbox lost its database', detail: reason.message })
    }
  }

  /**
   * Ends the sandbox: reports and ends what is still going on. `endClients` is called after a first search, so that a
   * client that it ends cannot hide what was left open; `refuse` when nothing more may begin. The database is dropped
   * behind it: `background` is told of that work.
   */
  async close(
    endClients: (() => Promise<void>) | undefined,
    refuse: () => void,
    background: (work: Promise<unknown>) => void,
  ): Promise<unknown[]> {
    const failures: unknown[] = []
    if (endClients !== undefined) {
      await nextTurn()
      this.#endOpenWork(failures)
      await endClients()
    }
    // Statements that the test sent without awaiting them are in the sockets already: let them be seen here, and not
    // run in the next sandbox.
    await nextTurn()
    refuse()
    this.#isClosed = true
    this.#endOpenWork(failures)
    for (const guest of this.#guests.keys()) {
      this.leave(guest)
      guest.detached()
    }
    await this.#endAbandoned(failures)
    if (this.#lease !== undefined) background(this.#giveBack(this.#lease))
    return failures
  }

  /** Reports every connection that is in the middle of something, and ends it. */
  #endOpenWork(failures: unknown[]): void {
    for (const [guest, { connection }] of this.#guests) {
      const isRunning = guest.runningText !== undefined
      if (!isRunning && !guest.isInTransaction) continue
      failures.push((isRunning ? stillRunning : leftOpen)(this.title, guest.id, guest))
      if (isRunning && connection !== undefined) this.#cancel(connection)
      this.leave(guest)
      guest.terminate(endOfSandbox(this.title))
    }
  }

  /** What a client that has gone left running, unless it ends right now. */
  async #endAbandoned(failures: unknown[]): Promise<void> {
    const running = [...this.#abandoned].filter(([connection]) => !this.#reported.has(connection))
    await Promise.all(running.map(([connection]) => connection.isGoneWithin(abandonedMs)))
    for (const [connection, activity] of running) {
      if (!this.#abandoned.has(connection) || connection.replies.isQuiet) continue
      failures.push(stillRunning(this.title, activity.id, activity))
      this.#cancel(connection)
    }
  }

  #cancel(connection: DirectConnection): void {
    this.#reported.add(connection)
    this.#cancelling.push(connection.cancel().catch(() => undefined))
  }

  async #giveBack(leased: Promise<Lease>): Promise<void> {
    const lease = await leased.catch(() => undefined)
    const ended = this.#ended()
    await lease?.release({ after: ended }).catch((error: unknown) => {
      // A lost lease is no longer ours to drop. The run's end drops what is left, and says so when it cannot.
      if (this.broken === undefined) throw error
    })
    await ended
  }

  /** The last connection is gone. */
  async #ended(): Promise<void> {
    await Promise.all(this.#cancelling)
    await Promise.all([...this.#leaving].map((connection) => connection.gone()))
  }
}

/** Keeps the work in a set, as something that never rejects, for as long as it lasts. */
async function whileIn<T>(set: Set<Promise<unknown>>, work: Promise<T>): Promise<T> {
  const settled = work.catch(() => undefined)
  set.add(settled)
  try {
    return await work
  } finally {
    set.delete(settled)
  }
}

function busyError(title: string, guest: DirectGuest): VivariumError {
  return new VivariumError('TRANSACTION_LEFT_OPEN', {
    what: `The database of the sandbox "${title}" cannot be copied for one inside it: connection ${guest.id} is in the middle of something.`,
    seen: guest.runningText ?? guest.transactionText,
    remedy:
      'Await the statement, and commit or roll back the transaction, before the next test begins (see beforeAll and beforeEach).',
  })
}
