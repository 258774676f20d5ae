import { now, realClearTimeout, realSetTimeout, withDeadline } from '../../core/clock.ts'
import { VivariumError } from '../../core/errors.ts'
import { CloneHolder } from './clone-holder.ts'
import type { HeldClone } from './clone-holder.ts'
import type { CloneUse } from './find-clone.ts'
import type { CloneMark } from './clone-mark.ts'
import { CloneStock } from './clone-stock.ts'
import type { StockRequest } from './clone-stock.ts'
import type { AcquireLeaseOptions, Lease, LeasePool, LeaseSource, ReleaseOptions } from './lease.ts'
import { resetSequencesStatement } from './reset-sequences.ts'
import type { RunIdentity } from './run-identity.ts'
import { SourceStocks } from './source-stocks.ts'

export interface OpenLeasePoolOptions {
  /** After this time without use all clones at hand but one are left to other processes. Milliseconds. @default 2_000 */
  idleMs?: number
  /** How many clones for disposable leases are kept ready at most. @default 4 */
  warmClones?: number
  /** How many connections make and drop clones at once, at most. @default 4 */
  cloneConnections?: number
}

const closeDeadlineMs = 10_000

/** Opens the pool of leases of this process. */
export async function openLeasePool(identity: RunIdentity, options: OpenLeasePoolOptions = {}): Promise<LeasePool> {
  const pool = new Pool(identity, options)
  await pool.connect()
  return pool
}

/** The same without a connection yet: the first `acquire` opens it. */
export function makeLeasePool(identity: RunIdentity, options: OpenLeasePoolOptions = {}): LeasePool {
  return new Pool(identity, options)
}

class Pool implements LeasePool {
  readonly #identity: RunIdentity
  readonly #idleMs: number
  readonly #warmClones: number
  readonly #holder: CloneHolder
  readonly #resetSequences: string
  readonly #inFlight = new Set<Promise<unknown>>()
  /** Reusable clones at hand, the one used last at the end. */
  #idle: HeldClone[] = []
  /** Unused clones for disposable leases. */
  readonly #warm: CloneStock<HeldClone>
  readonly #copies: SourceStocks<HeldClone>
  /** Disposable leases that are out, or that somebody waits for. */
  #wanted = 0
  /** The most of them that there were at once. */
  #mostWanted = 0
  /** Leases of the other kind that are out. */
  #reusing = 0
  #giveUp: () => Promise<boolean> = () => Promise.resolve(false)
  #idleTimer: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  constructor(identity: RunIdentity, { idleMs = 2_000, warmClones = 4, cloneConnections = 4 }: OpenLeasePoolOptions) {
    this.#identity = identity
    this.#idleMs = idleMs
    this.#warmClones = warmClones
    this.#resetSequences = resetSequencesStatement(identity.sequences)
    this.#holder = new CloneHolder(identity, cloneConnections, () => {
      this.#idle = []
    })
    this.#warm = this.#openStock((isAwaited) => this.#makeUnused(isAwaited))
    this.#copies = new SourceStocks(
      (source) => this.#openStock((isAwaited) => this.#makeCopy(source, isAwaited)),
      (clone) => this.#dropInBackground(clone),
    )
  }

  async connect(): Promise<void> {
    await this.#holder.connect()
  }

  #openStock(make: (isAwaited: () => boolean) => Promise<HeldClone | undefined>): CloneStock<HeldClone> {
    return new CloneStock({
      make: (isAwaited) => this.#track(make(isAwaited)),
      discard: (clone) => this.#dropInBackground(clone),
      isUsable: ({ connection }) => connection.lostReason === undefined,
      most: this.#warmClones,
      idleMs: this.#idleMs,
    })
  }

  async acquire(options: AcquireLeaseOptions = {}): Promise<Lease> {
    this.#requireOpen()
    const { deadlineMs = 60_000, disposable = false, source } = options
    const request: StockRequest = { abandoned: false }
    if (source === undefined && !disposable) return this.#inTime(this.#obtain(request), request, deadlineMs)
    this.#wanted++
    this.#mostWanted = Math.max(this.#mostWanted, this.#wanted)
    try {
      return await this.#inTime(this.#obtainDisposable(request, source), request, deadlineMs)
    } catch (error) {
      this.#wanted--
      throw error
    }
  }

  #inTime(obtaining: Promise<Lease>, request: StockRequest, deadlineMs: number): Promise<Lease> {
    return withDeadline(this.#track(obtaining), deadlineMs, () => {
      request.abandoned = true
      return this.#waitedTooLong(deadlineMs)
    })
  }

  onShortage(giveUp: () => Promise<boolean>): void {
    this.#giveUp = giveUp
  }

  /**
   * Locks a name for one use, when there is room for a clone more. With those that are kept ready, made and dropped there
   * stand as many as were wanted at once, or a few: so of many tests that run together each waits for the place of one that
   * has ended. Those in use again and again come on top, once none of them is kept without need.
   */
  #lockOne(use: CloneUse, besideReused: boolean): Promise<HeldClone | undefined> {
    return this.#holder.inTurn(async () => {
      const held = this.#holder.connection?.names.size ?? 0
      const few = Math.max(8, 2 * this.#warmClones)
      const most = Math.max(this.#mostWanted, few) + (besideReused ? this.#reusing : 0)
      return held < most ? this.#holder.lock(use) : undefined
    })
  }

  /** Closing waits for it. */
  #track<T>(work: Promise<T>): Promise<T> {
    this.#inFlight.add(work)
    void work.catch(() => undefined).then(() => this.#inFlight.delete(work))
    return work
  }

  async #obtain(request: StockRequest): Promise<Lease> {
    for (;;) {
      const lease = await this.#holder.inTurn(() => this.#take(request))
      if (lease !== undefined) return lease.isReady ? this.#toLease(lease.clone) : this.#prepare(lease.clone, request)
      if (request.abandoned) throw new Error('the request was given up')
      const unused = this.#warm.takeReady()
      if (unused !== undefined) return this.#reuse(unused, request)
      this.#copies.evictOne()
      await this.#holder.nextRelease()
      this.#requireOpen()
    }
  }

  async #take(request: StockRequest): Promise<{ clone: HeldClone; isReady: boolean } | undefined> {
    this.#requireOpen()
    if (request.abandoned) return undefined
    const atHand = this.#idle.pop()
    if (atHand !== undefined) return { clone: atHand, isReady: true }
    const clone = await this.#holder.lock('reuse')
    return clone && { clone, isReady: false }
  }

  async #prepare(clone: HeldClone, request: StockRequest): Promise<Lease> {
    const isFresh = await this.#holder.prepare(clone, 'reusable')
    await this.#requireOpenOr(clone)
    if (request.abandoned) this.#giveBack(clone)
    return this.#toLease(clone, { isFresh })
  }

  async #reuse(unused: HeldClone, request: StockRequest): Promise<Lease> {
    await this.#mark(unused, 'reusable')
    if (request.abandoned) this.#giveBack(unused)
    return this.#toLease(unused)
  }

  /** Marks a clone that is at hand; one that cannot be marked is dropped. */
  async #mark(clone: HeldClone, mark: CloneMark | undefined): Promise<void> {
    try {
      await this.#holder.mark(clone, mark)
    } catch (error) {
      this.#dropInBackground(clone)
      throw error
    }
  }

  async #obtainDisposable(request: StockRequest, source: LeaseSource | undefined): Promise<Lease> {
    const { item: clone, stock } =
      source === undefined
        ? { item: await this.#warm.take(request), stock: this.#warm }
        : await this.#copies.take(source, request)
    if (request.abandoned) stock.put(clone)
    // From here on something may be committed in it. A copy of a source never had a mark.
    else if (source === undefined) await this.#mark(clone, undefined)
    return this.#toLease(clone, { isDisposable: true })
  }

  /** For the stock of unused clones. */
  async #makeUnused(isAwaited: () => boolean): Promise<HeldClone | undefined> {
    for (let besideReused = false; ;) {
      this.#requireOpen()
      const clone = await this.#lockOne(isAwaited() ? 'once' : 'ahead', besideReused)
      if (clone !== undefined) {
        await this.#holder.prepare(clone, 'unused')
        await this.#requireOpenOr(clone)
        return clone
      }
      if (!isAwaited()) return undefined
      // Its user has put back what does not roll back: it is as good as unused.
      const atHand = this.#idle.pop()
      if (atHand !== undefined) return atHand
      if ((await this.#giveUp()) || !besideReused) {
        besideReused = this.#idle.length === 0
        continue
      }
      this.#copies.evictOne()
      await this.#holder.nextRelease()
    }
  }

  /** For the stock of copies of a database. */
  async #makeCopy(source: LeaseSource, isAwaited: () => boolean): Promise<HeldClone | undefined> {
    for (let besideReused = false; ;) {
      this.#requireOpen()
      if (!isAwaited() && source.isQuiet?.() !== true) return undefined
      const clone = await this.#lockOne(isAwaited() ? 'copy' : 'copy ahead', besideReused)
      if (clone !== undefined) {
        await this.#holder.prepareCopy(clone, source.lease.database)
        await this.#requireOpenOr(clone)
        return clone
      }
      if (!isAwaited()) return undefined
      const given = this.#idle.pop() ?? this.#warm.takeReady()
      if (given !== undefined) this.#dropInBackground(given)
      else if ((await this.#giveUp()) || !besideReused) {
        besideReused = this.#idle.length === 0
        continue
      }
      await this.#holder.nextRelease()
    }
  }

  #toLease(clone: HeldClone, { isFresh = true, isDisposable = false } = {}): Lease {
    const { name, connection } = clone
    let released: Promise<void> | undefined
    if (!isDisposable) this.#reusing++
    return {
      database: name,
      target: { ...this.#identity.application, database: name },
      fresh: isFresh,
      resetSequences: this.#resetSequences,
      lost: connection.lost,
      release: (options = {}) => {
        if (released !== undefined) return released
        if (isDisposable) this.#wanted--
        else this.#reusing--
        released = isDisposable ? this.#dispose(clone, options) : this.#release(clone, options)
        return released
      },
    }
  }

  async #release(clone: HeldClone, { drop = false }: ReleaseOptions): Promise<void> {
    if (clone.connection.lostReason !== undefined) return
    if (drop) await this.#holder.drop(clone)
    else if (this.#closing === undefined) this.#giveBack(clone)
  }

  async #dispose(clone: HeldClone, { after }: ReleaseOptions): Promise<void> {
    this.#copies.forget(clone.name)
    this.#dropInBackground(clone, after)
  }

  #dropInBackground(clone: HeldClone, after?: Promise<unknown>): void {
    // What cannot be dropped now has no mark, so nobody uses it; it goes with the run, which tells what it cannot drop.
    this.#track(this.#drop(clone, after)).catch(() => undefined)
  }

  async #drop(clone: HeldClone, after: Promise<unknown> | undefined): Promise<void> {
    await after
    if (clone.connection.lostReason !== undefined) return
    await this.#holder.drop(clone)
    this.#warm.restock()
  }

  #giveBack(clone: HeldClone): void {
    clone.idleSince = now()
    this.#idle.push(clone)
    this.#holder.wakeOne()
    this.#watchIdle()
  }

  /** Leaves to other processes what a burst of concurrent tests needed here. */
  #watchIdle(): void {
    if (this.#idleTimer !== undefined || this.#idle.length < 2) return
    this.#idleTimer = realSetTimeout(() => {
      this.#idleTimer = undefined
      void this.#holder.inTurn(async () => {
        while (this.#idle.length > 1 && now() - (this.#idle[0] as HeldClone).idleSince >= this.#idleMs) {
          await this.#holder.letGo(this.#idle.shift() as HeldClone)
        }
        this.#watchIdle()
      })
    }, this.#idleMs)
    this.#idleTimer.unref()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#idleTimer !== undefined) realClearTimeout(this.#idleTimer)
    // Unused clones stay, for the other processes.
    this.#warm.close(this.#closed())
    this.#copies.forgetAll()
    this.#holder.wakeAll()
    // A clone that is being made has to be known to the server before its lock goes, else the run would not drop it.
    await withDeadline(this.#settle(), closeDeadlineMs, () => new Error('late')).catch(() => undefined)
    this.#idle = []
    const { connection } = this.#holder
    if (connection === undefined) return
    // Waited for: the next process must find the clones free, not about to be free.
    const unlocked = connection.client.query('SELECT pg_catalog.pg_advisory_unlock_all()')
    await withDeadline(unlocked, closeDeadlineMs, () => new Error('late')).catch(() => undefined)
    await withDeadline(connection.client.close(), closeDeadlineMs, () => new Error('late')).catch(() => undefined)
  }

  /** Waits for all that is under way; an end may begin something, such as the dropping of what nobody wants any more. */
  async #settle(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.allSettled(this.#inFlight)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw this.#closed()
  }

  async #requireOpenOr(clone: HeldClone): Promise<void> {
    if (this.#closing === undefined) return
    await this.#holder.letGo(clone)
    throw this.#closed()
  }

  #closed(): VivariumError {
    return new VivariumError('VIVARIUM_CLOSED', {
      what: 'A database was asked for after the vivarium was closed.',
      remedy: 'Open sandboxes before `vivarium.close()`, and await what uses them.',
    })
  }

  #waitedTooLong(deadlineMs: number): VivariumError {
    const held = this.#holder.connection?.names.size ?? 0
    return new VivariumError('LEASE_WAIT_TIMEOUT', {
      what: `Waited ${deadlineMs} ms for a database of run ${this.#identity.runId}.`,
      seen: `this process holds ${held} of at most ${this.#identity.maxClones}, ${this.#idle.length + this.#warm.size} of them unused`,
      remedy:
        'Close sandboxes that are done, run fewer tests at once, or allow more databases. When few are held, the server ' +
        'is slow to copy the template.',
    })
  }
}
