import { now, realClearTimeout, realSetTimeout, withDeadline } from '../../core/clock.ts'
import { VivariumError } from '../../core/errors.ts'
import { requireOwnBackend, poolerRefused } from '../template/maintenance-connection.ts'
import { terminateConnections } from '../template/database-activity.ts'
import { dropDatabase } from '../template/create-database.ts'
import { CloneMaker } from './clone-maker.ts'
import { applyDatabaseSettings } from './database-settings.ts'
import { isRunOpen, lockCloneName, readCloneState, unlockClone } from './find-clone.ts'
import { openLeaseConnection } from './lease-connection.ts'
import type { LeaseConnection } from './lease-connection.ts'
import type { AcquireLeaseOptions, Lease, LeasePool } from './lease.ts'
import { makeClone } from './make-clone.ts'
import { resetSequencesStatement } from './reset-sequences.ts'
import type { RunIdentity } from './run-identity.ts'

export interface OpenLeasePoolOptions {
  /** After this time without use all clones at hand but one are left to other processes. Milliseconds. @default 2_000 */
  idleMs?: number
}

interface HeldClone {
  readonly name: string
  readonly connection: LeaseConnection
  /** When it came back, on the clock of {@link now}. */
  idleSince: number
}

/** One call of `acquire`; what it gets after its deadline is kept for the next one. */
interface LeaseRequest {
  abandoned: boolean
}

/** How long a full run is waited for before it is looked at again; a release in this process is seen at once. */
const pollMs = 25
const closeDeadlineMs = 10_000

/** Opens the pool of leases of this process. */
export async function openLeasePool(identity: RunIdentity, options: OpenLeasePoolOptions = {}): Promise<LeasePool> {
  const pool = new Pool(identity, options.idleMs ?? 2_000)
  await pool.connect()
  return pool
}

class Pool implements LeasePool {
  readonly #identity: RunIdentity
  readonly #idleMs: number
  readonly #maker: CloneMaker
  readonly #resetSequences: string
  readonly #inFlight = new Set<Promise<unknown>>()
  /** Clones at hand, the one used last at the end. */
  #idle: HeldClone[] = []
  #connection: LeaseConnection | undefined
  #turn: Promise<unknown> = Promise.resolve()
  #waiters: (() => void)[] = []
  #idleTimer: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  constructor(identity: RunIdentity, idleMs: number) {
    this.#identity = identity
    this.#idleMs = idleMs
    this.#maker = new CloneMaker(identity)
    this.#resetSequences = resetSequencesStatement(identity.sequences)
  }

  async connect(): Promise<LeaseConnection> {
    if (this.#connection !== undefined) return this.#connection
    const connection = await openLeaseConnection(this.#identity)
    this.#connection = connection
    void connection.lost.then(() => {
      if (this.#connection !== connection) return
      this.#connection = undefined
      this.#idle = []
    })
    return connection
  }

  async acquire(options: AcquireLeaseOptions = {}): Promise<Lease> {
    this.#requireOpen()
    const deadlineMs = options.deadlineMs ?? 60_000
    const request: LeaseRequest = { abandoned: false }
    const obtaining = this.#obtain(request)
    this.#inFlight.add(obtaining)
    void obtaining.catch(() => undefined).then(() => this.#inFlight.delete(obtaining))
    return withDeadline(obtaining, deadlineMs, () => {
      request.abandoned = true
      return this.#waitedTooLong(deadlineMs)
    })
  }

  async #obtain(request: LeaseRequest): Promise<Lease> {
    for (;;) {
      const lease = await this.#inTurn(() => this.#take(request))
      if (lease !== undefined)
        return lease.isReady ? this.#toLease(lease.clone, true) : this.#prepare(lease.clone, request)
      if (request.abandoned) throw new Error('the request was given up')
      await this.#nextRelease()
      this.#requireOpen()
    }
  }

  /** One at a time: what the connection holds must be known before the next name is locked on it. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }

  async #take(request: LeaseRequest): Promise<{ clone: HeldClone; isReady: boolean } | undefined> {
    this.#requireOpen()
    if (request.abandoned) return undefined
    const atHand = this.#idle.pop()
    if (atHand !== undefined) return { clone: atHand, isReady: true }
    const connection = await this.connect()
    const name = await orLost(connection, lockCloneName(connection.client, this.#identity, connection.names))
    if (name === undefined) return undefined
    connection.names.add(name)
    return { clone: { name, connection, idleSince: 0 }, isReady: false }
  }

  /** Makes a clone whose name was just locked fit for use. */
  async #prepare(clone: HeldClone, request: LeaseRequest): Promise<Lease> {
    const { connection } = clone
    try {
      const isNew = await orLost(connection, this.#makeFit(clone))
      this.#requireOpen()
      if (request.abandoned) this.#giveBack(clone)
      return this.#toLease(clone, isNew)
    } catch (error) {
      await this.#letGo(clone)
      throw error
    }
  }

  /** Returns whether the clone was just created. */
  async #makeFit({ name, connection: { client } }: HeldClone): Promise<boolean> {
    const identity = this.#identity
    const state = await readCloneState(client, identity, name)
    requireOwnBackend(client, identity.maintenance, state.backend)
    if (!state.isLockOurs) throw poolerRefused(identity.maintenance, 'the lock that was taken is not held any more')
    if (!state.runIsOpen) throw this.#runEnded()
    if (state.exists) {
      const isBloated = state.bytes > 2 * identity.templateBytes + 64 * 1024 * 1024
      if (!isBloated) {
        if (state.connections > 0) await terminateConnections(client, name)
        // Whoever created it may have died before it did this.
        await applyDatabaseSettings(client, name, identity.databaseSettings)
        return false
      }
      await this.#maker.run((maker) => dropDatabase(maker, name))
    }
    const created = await this.#maker.run((maker) => makeClone(maker, identity, name))
    // The host drops what it sees after it let go of the run's lock: what it could not see yet is ours to drop.
    if (await isRunOpen(client, identity)) return created
    await this.#maker.run((maker) => dropDatabase(maker, name))
    throw this.#runEnded()
  }

  #toLease(clone: HeldClone, fresh: boolean): Lease {
    const { name, connection } = clone
    let released: Promise<void> | undefined
    return {
      database: name,
      target: { ...this.#identity.application, database: name },
      fresh,
      resetSequences: this.#resetSequences,
      lost: connection.lost,
      release: (options = {}) => {
        released ??= this.#release(clone, options.drop === true)
        return released
      },
    }
  }

  async #release(clone: HeldClone, drop: boolean): Promise<void> {
    if (clone.connection.lostReason !== undefined) return
    if (!drop) {
      if (this.#closing === undefined) this.#giveBack(clone)
      return
    }
    try {
      await this.#maker.run((maker) => dropDatabase(maker, clone.name))
    } finally {
      await this.#letGo(clone)
    }
  }

  #giveBack(clone: HeldClone): void {
    clone.idleSince = now()
    this.#idle.push(clone)
    this.#waiters.shift()?.()
    this.#watchIdle()
  }

  /** Unlocks a clone. */
  async #letGo({ name, connection }: HeldClone): Promise<void> {
    // Its name stays in `names` until the server has let go: else the next statement would take our own lock again.
    await unlockClone(connection.client, name).catch(() => undefined)
    connection.names.delete(name)
    this.#waiters.shift()?.()
  }

  /** Leaves to other processes what a burst of concurrent tests needed here. */
  #watchIdle(): void {
    if (this.#idleTimer !== undefined || this.#idle.length < 2) return
    this.#idleTimer = realSetTimeout(() => {
      this.#idleTimer = undefined
      void this.#inTurn(async () => {
        while (this.#idle.length > 1 && now() - (this.#idle[0] as HeldClone).idleSince >= this.#idleMs) {
          await this.#letGo(this.#idle.shift() as HeldClone)
        }
        this.#watchIdle()
      })
    }, this.#idleMs)
    this.#idleTimer.unref()
  }

  #nextRelease(): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        realClearTimeout(timer)
        this.#waiters = this.#waiters.filter((waiter) => waiter !== wake)
        resolve()
      }
      const timer = realSetTimeout(wake, pollMs)
      this.#waiters.push(wake)
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#idleTimer !== undefined) realClearTimeout(this.#idleTimer)
    for (const wake of this.#waiters) wake()
    // A clone that is being made has to be known to the server before its lock goes, else the run would not drop it.
    const settled = Promise.allSettled(this.#inFlight)
    await withDeadline(settled, closeDeadlineMs, () => new Error('late')).catch(() => undefined)
    this.#idle = []
    const connection = this.#connection
    if (connection === undefined) return
    // Waited for: the next process must find the clones free, not about to be free.
    const unlocked = connection.client.query('SELECT pg_catalog.pg_advisory_unlock_all()')
    await withDeadline(unlocked, closeDeadlineMs, () => new Error('late')).catch(() => undefined)
    await withDeadline(connection.client.close(), closeDeadlineMs, () => new Error('late')).catch(() => undefined)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #requireOpen(): void {
    if (this.#closing === undefined) return
    throw new VivariumError('VIVARIUM_CLOSED', {
      what: 'A database was asked for after the vivarium was closed.',
      remedy: 'Open sandboxes before `vivarium.close()`, and await what uses them.',
    })
  }

  #runEnded(): VivariumError {
    return new VivariumError('RUN_ENDED', {
      what: `The run ${this.#identity.runId} has ended, and its databases with it.`,
      seen: 'nobody holds its lock: the process that opened it has closed it or died',
      remedy: 'Start the test run again.',
    })
  }

  #waitedTooLong(deadlineMs: number): VivariumError {
    const held = this.#connection?.names.size ?? 0
    return new VivariumError('LEASE_WAIT_TIMEOUT', {
      what: `Waited ${deadlineMs} ms for a database of run ${this.#identity.runId}.`,
      seen: `this process holds ${held} of at most ${this.#identity.maxClones}, ${this.#idle.length} of them unused`,
      remedy:
        'Close sandboxes that are done, run fewer tests at once, or allow more databases. When few are held, the server ' +
        'is slow to copy the template.',
    })
  }
}

/** The work's result, or the reason for which the connection was lost in the meantime. */
async function orLost<T>(connection: LeaseConnection, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw connection.lostReason ?? error
  }
}
