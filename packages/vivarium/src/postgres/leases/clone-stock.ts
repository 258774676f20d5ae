import { now, realClearTimeout, realSetTimeout } from '../../core/clock.ts'

/** One who wants something; what comes after it gave up is for the next one. */
export interface StockRequest {
  abandoned: boolean
}

/** How a {@link CloneStock} comes to what it holds. */
export interface CloneStockOptions<T> {
  /**
   * Makes one. `isAwaited` tells whether somebody waits for it, at any moment; when nobody does it may resolve to
   * `undefined`: not now.
   */
  make(isAwaited: () => boolean): Promise<T | undefined>
  /** Gets rid of one that is not needed. */
  discard(item: T): void
  isUsable(item: T): boolean
  /** How many are kept ready at most. */
  most: number
  /** After this time without a request one less is kept ready. Milliseconds. */
  idleMs: number
}

interface Waiter<T> {
  readonly request: StockRequest
  resolve(item: T): void
  reject(error: unknown): void
}

/**
 * Things that take long to make and are used once. How many are ready follows the demand: one more each time somebody
 * had to wait, one less each time nobody came for a while. First come, first served.
 */
export class CloneStock<T> {
  readonly #options: CloneStockOptions<T>
  #ready: T[] = []
  #waiting: Waiter<T>[] = []
  #making = 0
  #target = 0
  #lastRequest = 0
  #timer: NodeJS.Timeout | undefined
  #closedBecause: Error | undefined

  constructor(options: CloneStockOptions<T>) {
    this.#options = options
  }

  /** How many are ready. */
  get size(): number {
    return this.#ready.length
  }

  take(request: StockRequest): Promise<T> {
    if (this.#closedBecause !== undefined) return Promise.reject(this.#closedBecause)
    this.#lastRequest = now()
    this.#watchIdle()
    const ready = this.takeReady()
    if (ready !== undefined) return Promise.resolve(ready)
    this.#target = Math.min(this.#target + 1, this.#options.most)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject })
      this.restock()
    })
  }

  /** One that is ready, for whoever may have it. */
  takeReady(): T | undefined {
    for (let item = this.#ready.shift(); item !== undefined; item = this.#ready.shift()) {
      if (!this.#options.isUsable(item)) continue
      this.restock()
      return item
    }
    return undefined
  }

  /** Puts one back that its taker gave up. */
  put(item: T): void {
    if (this.#closedBecause !== undefined) {
      this.#options.discard(item)
      return
    }
    const waiter = this.#nextWaiter()
    if (waiter !== undefined) {
      waiter.resolve(item)
      return
    }
    this.#ready.push(item)
    this.#watchIdle()
  }

  /** Refuses everybody from now on and returns what was ready; what is still being made is discarded. */
  close(reason: Error): T[] {
    this.#closedBecause = reason
    if (this.#timer !== undefined) realClearTimeout(this.#timer)
    for (const waiter of this.#waiting.splice(0)) waiter.reject(reason)
    return this.#ready.splice(0)
  }

  #nextWaiter(): Waiter<T> | undefined {
    this.#forgetAbandoned()
    return this.#waiting.shift()
  }

  #forgetAbandoned(): void {
    for (const { request, reject } of this.#waiting) {
      if (request.abandoned) reject(new Error('the request was given up'))
    }
    this.#waiting = this.#waiting.filter(({ request }) => !request.abandoned)
  }

  /** Makes what is missing: somebody waits, or fewer are ready than should be. */
  restock(): void {
    if (this.#closedBecause !== undefined) return
    this.#forgetAbandoned()
    // Only when nobody waits are some made ahead: copies made side by side slow each other.
    const wanted = this.#waiting.length > 0 ? this.#waiting.length : this.#target - this.#ready.length
    for (let missing = wanted - this.#making; missing > 0; missing--) void this.#makeOne()
  }

  async #makeOne(): Promise<void> {
    this.#making++
    const isAhead = this.#waiting.length === 0
    try {
      const item = await this.#options.make(() => this.#waiting.some(({ request }) => !request.abandoned))
      this.#making--
      if (item !== undefined) this.put(item)
      // One that was not made ahead may be wanted by now.
      if (this.#closedBecause === undefined && (item !== undefined || this.#waiting.length > 0)) this.restock()
    } catch (error) {
      this.#making--
      // Begun ahead it may have failed before anybody came: it is made again for one who waits, and then told.
      if (!isAhead) this.#nextWaiter()?.reject(error)
      if (this.#waiting.length > 0) this.restock()
    }
  }

  #watchIdle(): void {
    if (this.#timer !== undefined) return
    const { idleMs, discard } = this.#options
    this.#timer = realSetTimeout(() => {
      this.#timer = undefined
      if (now() - this.#lastRequest >= idleMs) {
        this.#target = Math.max(0, this.#target - 1)
        while (this.#ready.length > this.#target) discard(this.#ready.shift() as T)
      }
      if (this.#target > 0) this.#watchIdle()
    }, idleMs)
    this.#timer.unref()
  }
}
