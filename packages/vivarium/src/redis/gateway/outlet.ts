import type { RedisTarget } from '../connection/target.ts'
import type { RawRequest } from '../protocol/raw-request.ts'
import { type Reply, writeReply } from '../protocol/reply.ts'
import type { KeyLog } from '../protocol/request-writer.ts'
import { writeRequest } from '../protocol/requests.ts'
import type { Pending, Transaction } from './pending.ts'
import { Replies, type RepliesListener } from './replies.ts'
import type { Subscriptions } from './subscriptions.ts'
import { Upstream, type UpstreamListener } from './upstream.ts'

const refusedName = 'VIVARIUM.REFUSED'

/** What an outlet tells of the connection to the server. */
export interface OutletListener extends UpstreamListener, RepliesListener {
  /** The server has told its number of the connection. */
  readonly onClientId: (id: string) => void
}

/** What is sent for one client, and the order of the replies: those of the server, and ours between them. */
export class Outlet {
  readonly replies: Replies
  readonly upstream: Upstream
  /** The MULTI that the client is inside of. */
  transaction: Transaction | undefined
  readonly #listener: OutletListener
  #unheard: Partial<Pending> | undefined

  constructor(target: RedisTarget, subscriptions: Subscriptions, listener: OutletListener) {
    this.#listener = listener
    this.replies = new Replies(subscriptions, listener)
    this.upstream = new Upstream(target, listener)
  }

  /** Sends bytes to the server; `pending` says what is to become of the reply. */
  write(bytes: Buffer, pending: Pending): void {
    if (!this.#isOpen()) return pending.told?.(undefined)
    this.upstream.writer.write(bytes)
    this.replies.add(this.#unheard === undefined ? pending : { ...pending, ...this.#unheard })
  }

  /** The same for a command that has nothing but prefixes put before its keys. `log` notes them when it is there. */
  writeWithPrefix(
    request: RawRequest,
    places: readonly number[],
    prefix: Buffer,
    log: KeyLog | undefined,
    pending: Pending,
  ): void {
    if (!this.#isOpen()) return
    this.upstream.writer.writeWithPrefix(request, places, prefix, log)
    this.replies.add(pending)
  }

  /** What is dropped gets no reply, and whoever waits for one is told so. */
  #isOpen(): boolean {
    if (this.upstream.state === 'unused') this.logIn()
    return this.upstream.state === 'open'
  }

  /** Replies without asking the server; inside MULTI with EXEC, as the server would. */
  answer(reply: Reply): void {
    const { transaction } = this
    if (transaction === undefined && this.#unheard === undefined) {
      return this.replies.add({ name: '', local: writeReply(reply) })
    }
    this.write(writeRequest(['PING']), { name: '', transaction, reply: () => reply })
  }

  /** Refuses a command, with the reason. */
  refuse(name: string, why: string): void {
    const { transaction } = this
    const shown = name.replace('|', ' ').toUpperCase()
    const text = `ERR Vivarium refuses ${shown} in a sandbox: ${why}. Run what needs it against a server of its own.`
    if (transaction === undefined) return this.answer({ type: '-', text })
    // The server refuses it, too, so that EXEC fails as it does after a command that could not be queued.
    this.write(writeRequest([refusedName]), { name, transaction, error: () => text, whole: true })
  }

  /** The command fails with this, on the server as well: so one inside MULTI lets EXEC fail, and an EXEC has undone what was queued. */
  fail(text: string, pending: Pending): void {
    const { transaction } = this
    if (pending.name === 'exec' && transaction !== undefined) {
      this.transaction = undefined
      this.write(writeRequest(['DISCARD']), { ...pending, reply: () => ({ type: '-', text }) })
    } else {
      this.write(writeRequest([refusedName]), { ...pending, transaction, error: () => text, whole: true })
    }
  }

  /** What `send` sends is carried out, and the client does not hear of it. */
  unheard(pending: Pick<Pending, 'swallowed' | 'told' | 'draft'>, send: () => void): void {
    this.#unheard = pending
    send()
    this.#unheard = undefined
  }

  /** Says who we are: the first thing on a connection, and again after a RESET. */
  logIn(): void {
    if (this.upstream.state === 'unused') this.upstream.open()
    for (const request of this.upstream.loginRequests) {
      this.upstream.writer.write(request)
      const told = (reply: Reply | undefined): void => {
        if (reply?.type === ':') this.#listener.onClientId(reply.text)
        else if (reply?.type === '-') this.#listener.onEnd(`it refused the login: ${reply.text}`)
      }
      this.replies.add({ name: '', swallowed: true, whole: true, told })
    }
  }
}
