import { now, realSetTimeout, startDeadline } from '../../core/clock.ts'
import type { Deadline } from '../../core/clock.ts'
import { VivariumError } from '../../core/errors.ts'
import { openBackendConnection } from './backend-connection.ts'
import type { BackendConnection } from './backend-connection.ts'
import { PostgresServerError } from './server-error.ts'
import type { ConnectionTarget } from './target.ts'

export interface AcquireConnectionOptions {
  /** What the connection is for, as the error's text says it. */
  readonly title: string
  /**
   * How long to wait. Milliseconds; less than the five seconds that runners give a test, so that the error is seen.
   *
   * @default 4_000
   */
  readonly deadlineMs?: number
}

/** The right to have one connection to the server. */
export interface ConnectionPermit {
  /** Gives it to the next one. A second call does nothing. */
  release(): void
}

interface Waiter {
  readonly title: string
  readonly deadline: Deadline
  grant(permit: ConnectionPermit): void
}

const defaultDeadlineMs = 4_000
const tooManyConnections = '53300'

/** How many connections to the server one process has at once, its own few for clones and locks aside. */
export class ConnectionBudget {
  /** How many there may be. */
  readonly max: number
  readonly #titles = new Map<ConnectionPermit, string>()
  readonly #onShortage = new Set<() => void>()
  #waiting: Waiter[] = []

  constructor(max: number) {
    this.max = max
  }

  /** How many there are. */
  get used(): number {
    return this.#titles.size
  }

  /** Whether somebody waits. */
  get isShort(): boolean {
    return this.#waiting.length > 0
  }

  /**
   * Waits until there may be one more: first come, first served.
   *
   * @throws VivariumError CONNECTION_LIMIT
   */
  acquire({ title, deadlineMs = defaultDeadlineMs }: AcquireConnectionOptions): Promise<ConnectionPermit> {
    if (this.used < this.max) return Promise.resolve(this.#grant(title))
    return new Promise((resolve, reject) => {
      const deadline = startDeadline(deadlineMs, () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter)
        reject(this.#limitReached(title, deadlineMs))
      })
      const waiter: Waiter = { title, deadline, grant: resolve }
      this.#waiting.push(waiter)
      for (const callback of this.#onShortage) callback()
    })
  }

  /**
   * Opens a connection within the bound; it counts until its socket is closed. A server that is full for other reasons
   * (another run, a process that has just ended) is waited for as well.
   *
   * @throws VivariumError CONNECTION_LIMIT, and what `openBackendConnection` throws
   */
  async open(target: ConnectionTarget, options: AcquireConnectionOptions): Promise<BackendConnection> {
    const permit = await this.acquire(options)
    try {
      const connection = await whileServerIsFull(() => openBackendConnection(target), options)
      connection.socket.once('close', () => permit.release())
      if (connection.socket.destroyed) permit.release()
      return connection
    } catch (error) {
      permit.release()
      throw error
    }
  }

  /** Calls back each time somebody has to wait, so that connections that do nothing can be closed. */
  onShortage(callback: () => void): () => void {
    this.#onShortage.add(callback)
    return () => this.#onShortage.delete(callback)
  }

  #grant(title: string): ConnectionPermit {
    const permit: ConnectionPermit = {
      release: () => {
        if (!this.#titles.delete(permit)) return
        const next = this.#waiting.shift()
        if (next === undefined) return
        next.deadline.cancel()
        next.grant(this.#grant(next.title))
      },
    }
    this.#titles.set(permit, title)
    return permit
  }

  #limitReached(title: string, deadlineMs: number): VivariumError {
    return new VivariumError('CONNECTION_LIMIT', {
      what: `Waited ${deadlineMs} ms for a connection to the server, for ${title}: this process may have ${this.max} at once.`,
      seen: `in use: ${count(this.#titles.values())}`,
      remedy:
        'Close connections and sandboxes that are done, give the pools of the application a smaller maximum, run fewer tests at ' +
        'once, or raise `postgres.maxConnections` (it is for the whole run, divided by its workers).',
    })
  }
}

/** Each title with how often it occurs. */
function count(titles: Iterable<string>): string {
  const counts = new Map<string, number>()
  for (const title of titles) counts.set(title, (counts.get(title) ?? 0) + 1)
  return [...counts].map(([title, times]) => (times === 1 ? title : `${times} × ${title}`)).join(', ') || 'none'
}

/**
 * Opens again and again while the server refuses one more connection.
 *
 * @throws VivariumError CONNECTION_LIMIT
 */
export async function whileServerIsFull<T>(
  open: () => Promise<T>,
  { title, deadlineMs = defaultDeadlineMs }: AcquireConnectionOptions,
): Promise<T> {
  const start = now()
  for (;;) {
    try {
      return await open()
    } catch (error) {
      if (!(error instanceof PostgresServerError) || error.code !== tooManyConnections) throw error
      if (now() - start > deadlineMs) throw serverFull(title, deadlineMs, error)
      await new Promise<void>((resolve) => realSetTimeout(resolve, 25))
    }
  }
}

function serverFull(title: string, deadlineMs: number, cause: PostgresServerError): VivariumError {
  return new VivariumError('CONNECTION_LIMIT', {
    what: `The server accepted no further connection within ${deadlineMs} ms, for ${title}.`,
    seen: cause.message,
    remedy:
      'See who is connected (pg_stat_activity), raise the server’s max_connections, or lower `postgres.maxConnections` so that ' +
      'several runs find room on it.',
    cause,
  })
}
