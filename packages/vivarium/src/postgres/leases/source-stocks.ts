import type { CloneStock, StockRequest } from './clone-stock.ts'
import type { LeaseSource } from './lease.ts'

interface SourceStock<T> {
  readonly version: number
  readonly stock: CloneStock<T>
}

/** The copies of other databases than the template: for each database those of its newest version. */
export class SourceStocks<T> {
  readonly #open: (source: LeaseSource) => CloneStock<T>
  readonly #discard: (item: T) => void
  readonly #stocks = new Map<string, SourceStock<T>>()

  constructor(open: (source: LeaseSource) => CloneStock<T>, discard: (item: T) => void) {
    this.#open = open
    this.#discard = discard
  }

  /** A copy of the source as it is now; where to put it back comes with it. */
  async take(source: LeaseSource, request: StockRequest): Promise<{ item: T; stock: CloneStock<T> }> {
    const { database } = source.lease
    let known = this.#stocks.get(database)
    if (known?.version !== source.version) {
      this.forget(database)
      known = { version: source.version, stock: this.#open(source) }
      this.#stocks.set(database, known)
    }
    const { stock } = known
    return { item: await stock.take(request), stock }
  }

  /** Discards the copies of a database that has changed or is given up. */
  forget(database: string): void {
    const known = this.#stocks.get(database)
    if (known === undefined) return
    this.#stocks.delete(database)
    for (const item of known.stock.close(new Error(`a copy of ${database} is not wanted any more`))) this.#discard(item)
  }

  /** Gets rid of one copy that is ready, so that its place is free. */
  evictOne(): void {
    for (const { stock } of this.#stocks.values()) {
      const item = stock.takeReady()
      if (item === undefined) continue
      this.#discard(item)
      return
    }
  }

  forgetAll(): void {
    for (const database of this.#stocks.keys()) this.forget(database)
  }
}
