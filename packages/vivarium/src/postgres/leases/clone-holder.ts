import { realClearTimeout, realSetTimeout } from '../../core/clock.ts'
import { VivariumError } from '../../core/errors.ts'
import { PostgresServerError } from '../connection/server-error.ts'
import { dropDatabase } from '../template/create-database.ts'
import { terminateConnections } from '../template/database-activity.ts'
import { poolerRefused, requireOwnBackend } from '../template/maintenance-connection.ts'
import { CloneMaker } from './clone-maker.ts'
import { markStatement } from './clone-mark.ts'
import type { CloneMark } from './clone-mark.ts'
import { isRunOpen, lockCloneName, readCloneState, unlockClone } from './find-clone.ts'
import type { CloneUse } from './find-clone.ts'
import { openLeaseConnection } from './lease-connection.ts'
import type { LeaseConnection } from './lease-connection.ts'
import { makeClone } from './make-clone.ts'
import type { MakeCloneOptions } from './make-clone.ts'
import type { RunIdentity } from './run-identity.ts'

/** A clone whose name this process has locked. */
export interface HeldClone {
  readonly name: string
  readonly connection: LeaseConnection
  /** When it came back, on the clock of `now()`. */
  idleSince: number
}

/** How long a full run is waited for before it is looked at again; a release in this process is seen at once. */
const pollMs = 25

/** Locks, makes, marks and drops the clones of this process: what happens on the server, nothing of who gets which. */
export class CloneHolder {
  readonly #identity: RunIdentity
  readonly #maker: CloneMaker
  readonly #onLost: () => void
  #connection: LeaseConnection | undefined
  #turn: Promise<unknown> = Promise.resolve()
  #waiters: (() => void)[] = []

  constructor(identity: RunIdentity, cloneConnections: number, onLost: () => void) {
    this.#identity = identity
    this.#maker = new CloneMaker(identity, cloneConnections)
    this.#onLost = onLost
  }

  /** The connection that holds the locks, while there is one. */
  get connection(): LeaseConnection | undefined {
    return this.#connection
  }

  async connect(): Promise<LeaseConnection> {
    if (this.#connection !== undefined) return this.#connection
    const connection = await openLeaseConnection(this.#identity)
    this.#connection = connection
    void connection.lost.then(() => {
      if (this.#connection !== connection) return
      this.#connection = undefined
      this.#onLost()
    })
    return connection
  }

  /** One at a time: what the connection holds must be known before the next name is locked on it. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }

  /** Locks a name; `undefined` when none is free. In turn. */
  async lock(use: CloneUse): Promise<HeldClone | undefined> {
    const connection = await this.connect()
    const name = await orLost(
      connection,
      lockCloneName(connection.client, this.#identity, { ours: connection.names, use }),
    )
    if (name === undefined) return undefined
    connection.names.add(name)
    return { name, connection, idleSince: 0 }
  }

  /**
   * Makes a clone whose name was just locked fit for use and marks it: the one that is there when it may still be used so,
   * else a new one. Returns whether it is as the template. When it fails the clone is let go.
   */
  async prepare(clone: HeldClone, mark: CloneMark): Promise<boolean> {
    return this.#orLetGo(clone, async () => {
      const { name, connection } = clone
      const { client } = connection
      const state = await this.#look(clone)
      const isBloated = state.bytes > 2 * this.#identity.templateBytes + 64 * 1024 * 1024
      // Once used, a clone is never unused again.
      if (state.mark === undefined || isBloated || (mark === 'unused' && state.mark === 'reusable')) {
        await this.#remake(clone, { name, mark })
        return true
      }
      if (state.connections > 0) await terminateConnections(client, name)
      if (state.mark !== mark) await this.mark(clone, mark)
      return state.mark === 'unused'
    })
  }

  /** Makes a clone whose name was just locked a copy of another database. When it fails the clone is let go. */
  async prepareCopy(clone: HeldClone, source: string): Promise<void> {
    await this.#orLetGo(clone, async () => {
      await this.#look(clone)
      await this.#remake(clone, { name: clone.name, mark: undefined, source })
    })
  }

  async #orLetGo<T>(clone: HeldClone, work: () => Promise<T>): Promise<T> {
    try {
      return await orLost(clone.connection, work())
    } catch (error) {
      await this.letGo(clone)
      throw error
    }
  }

  async #look({ name, connection: { client } }: HeldClone): ReturnType<typeof readCloneState> {
    const identity = this.#identity
    const state = await readCloneState(client, identity, name)
    requireOwnBackend(client, identity.maintenance, state.backend)
    if (!state.isLockOurs) throw poolerRefused(identity.maintenance, 'the lock that was taken is not held any more')
    if (!state.runIsOpen) throw this.#runEnded()
    return state
  }

  /** Whatever is there of that name goes: also what a process that has died meanwhile was making. */
  async #remake({ name, connection }: HeldClone, options: MakeCloneOptions): Promise<void> {
    await this.#maker.change(name, async (maker) => {
      await dropDatabase(maker, name)
      await makeClone(maker, this.#identity, options)
    })
    // The host drops what it sees after it let go of the run's lock: what it could not see yet is ours to drop.
    if (await isRunOpen(connection.client, this.#identity)) return
    await this.#maker.change(name, (maker) => dropDatabase(maker, name))
    throw this.#runEnded()
  }

  /**
   * Changes the mark of a clone that is held. Not waited for on disk: the log is in order, so whatever the application
   * commits afterwards is not there without it.
   */
  async mark({ name, connection }: HeldClone, mark: CloneMark | undefined): Promise<void> {
    await orLost(
      connection,
      connection.client.query(`SET LOCAL synchronous_commit = off; ${markStatement(name, mark)}`),
    )
  }

  /** Drops a clone and unlocks its name. */
  async drop(clone: HeldClone): Promise<void> {
    try {
      // First of all: should we die now, the next holder must not use what the server is still to drop.
      await this.mark(clone, undefined).catch(ignoreMissing)
      await this.#maker.change(clone.name, (maker) => dropDatabase(maker, clone.name))
    } finally {
      await this.letGo(clone)
    }
  }

  /** Unlocks a clone. */
  async letGo({ name, connection }: HeldClone): Promise<void> {
    // Its name stays in `names` until the server has let go: else the next statement would take our own lock again.
    await unlockClone(connection.client, name).catch(() => undefined)
    connection.names.delete(name)
    this.wakeOne()
  }

  /** Tells one who waits that something became free. */
  wakeOne(): void {
    this.#waiters.shift()?.()
  }

  wakeAll(): void {
    for (const wake of this.#waiters) wake()
  }

  /** Resolves when something became free here, or may have become free elsewhere. */
  nextRelease(): Promise<void> {
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

  #runEnded(): VivariumError {
    return new VivariumError('RUN_ENDED', {
      what: `The run ${this.#identity.runId} has ended, and its databases with it.`,
      seen: 'nobody holds its lock: the process that opened it has closed it or died',
      remedy: 'Start the test run again.',
    })
  }
}

/** The run's end may have dropped it already. */
function ignoreMissing(error: unknown): void {
  if (!(error instanceof PostgresServerError) || error.code !== '3D000') throw error
}

/** The work's result, or the reason for which the connection was lost in the meantime. */
async function orLost<T>(connection: LeaseConnection, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw connection.lostReason ?? error
  }
}
