import type { Reply } from '../protocol/reply.ts'
import type { CommandDraft, UnreadCommand } from './command-record.ts'
import type { RedisPart } from './redis-part.ts'

/** A MULTI … EXEC of one connection. */
export interface Transaction {
  readonly part: RedisPart | undefined
  readonly number: number | undefined
  /** The connection's database at its beginning: DISCARD goes back to it. */
  readonly database: number
  /** What the server has queued, in order: EXEC replies to each. */
  readonly queued: Pending[]
}

/** Something the client awaits a reply to, or that the server was sent without being asked by the client. */
export interface Pending {
  /** In lower case. */
  readonly name: string
  /** Where it is done; counted there until the server has replied. */
  readonly part?: RedisPart | undefined
  readonly blocks?: boolean
  /** Makes the client's reply of the server's. */
  readonly reply?: ((reply: Reply) => Reply) | undefined
  readonly error?: ((text: string) => string) | undefined
  /** The reply has to be read, even if it is not changed. */
  readonly whole?: boolean
  readonly draft?: CommandDraft | undefined
  /** It is one of those that most are: its reply goes to the client as it comes, unless it is an error. */
  readonly unread?: UnreadCommand | undefined
  /** The transaction it was sent in. */
  readonly transaction?: Transaction | undefined
  /** The transaction it ends with EXEC. */
  readonly executes?: Transaction | undefined
  /** Our own reply: the server was not asked. */
  readonly local?: Buffer
  /** Confirmations of SUBSCRIBE and its like that are to come. */
  confirmations?: number
  /** The client has not asked for it, and does not get the reply. */
  readonly swallowed?: boolean
  /** Told the reply, when it is complete. */
  readonly told?: (reply: Reply | undefined) => void
  next?: Pending
}

/** What is pending, in the order of the replies. */
export class PendingQueue {
  #head: Pending | undefined
  #tail: Pending | undefined

  get head(): Pending | undefined {
    return this.#head
  }

  add(pending: Pending): void {
    if (this.#tail === undefined) this.#head = pending
    else this.#tail.next = pending
    this.#tail = pending
  }

  shift(): Pending | undefined {
    const first = this.#head
    if (first === undefined) return undefined
    this.#head = first.next
    // It may be kept longer than what came behind it.
    delete first.next
    if (this.#head === undefined) this.#tail = undefined
    return first
  }

  *[Symbol.iterator](): Generator<Pending> {
    for (let pending = this.#head; pending !== undefined; pending = pending.next) yield pending
  }
}
