import { now } from '../../core/clock.ts'
import { type Reply, readReply, writeReply } from '../protocol/reply.ts'
import { ReplyScanner } from '../protocol/reply-scanner.ts'
import { observe } from './command-record.ts'
import { type Pending, PendingQueue } from './pending.ts'
import type { RedisPart } from './redis-part.ts'
import { type SubscriptionKind, subscriptionCommands, type Subscriptions } from './subscriptions.ts'

/** Where replies go. */
export interface RepliesListener {
  readonly write: (bytes: Buffer) => void
  /** The reply to it is complete, or never comes. */
  readonly onDone: (pending: Pending) => void
}

const messages: Readonly<Record<string, SubscriptionKind>> = {
  message: 'channel',
  pmessage: 'pattern',
  smessage: 'shard',
}

/**
 * The server's replies on their way to the client: passed on as they come, without being held, unless something has to be changed or
 * looked up in them.
 */
export class Replies {
  readonly #subscriptions: Subscriptions
  readonly #listener: RepliesListener
  readonly #queue: PendingQueue = new PendingQueue()
  readonly #scanner: ReplyScanner = new ReplyScanner()
  /** When the replies came that are being read. */
  #now = 0
  /** What came of a reply that is held until it is complete. */
  #parts: Buffer[] = []
  /** How many channels and patterns, and how many sharded channels, the server says it is. */
  #listening: { common: number; shard: number } = { common: 0, shard: 0 }

  constructor(subscriptions: Subscriptions, listener: RepliesListener) {
    this.#subscriptions = subscriptions
    this.#listener = listener
  }

  get head(): Pending | undefined {
    return this.#queue.head
  }

  /** What the server has not replied to, the oldest first. */
  pending(): Iterable<Pending> {
    return this.#queue
  }

  get mayWait(): boolean {
    for (const { blocks } of this.#queue) if (blocks === true) return true
    return false
  }

  running(part: RedisPart): Pending | undefined {
    for (const pending of this.#queue) if (pending.part === part) return pending
    return undefined
  }

  add(pending: Pending): void {
    pending.part?.began()
    this.#queue.add(pending)
    if (pending.local !== undefined) this.#writeLocals()
  }

  /** No reply comes any more. */
  abandon(): void {
    for (let pending = this.#queue.shift(); pending !== undefined; pending = this.#queue.shift()) {
      this.#end(pending, undefined)
    }
  }

  read(chunk: Buffer): void {
    this.#now = now()
    /** Where begins what is passed on as it is and has not been yet. */
    let rawFrom = 0
    let at = 0
    while (at < chunk.length) {
      const from = at
      at = this.#scanner.scan(chunk, from)
      if (this.#mustHold()) {
        if (from > rawFrom) this.#listener.write(chunk.subarray(rawFrom, from))
        rawFrom = at
        this.#parts.push(chunk.subarray(from, at))
        if (this.#scanner.isBetween) this.#whole()
      } else {
        this.#releaseParts()
        if (this.#scanner.isBetween) {
          const { head } = this.#queue
          // Ours stand between two of the server's.
          if (head?.next?.local !== undefined) {
            this.#listener.write(chunk.subarray(rawFrom, at))
            rawFrom = at
          }
          this.#finish(undefined)
        }
      }
    }
    if (rawFrom < chunk.length) this.#listener.write(chunk.subarray(rawFrom))
  }

  #mustHold(): boolean {
    const { type } = this.#scanner
    const { head } = this.#queue
    if (head?.unread !== undefined) {
      return type === undefined || type === '-' || type === '>' || this.#isListening
    }
    return (
      type === undefined ||
      type === '-' ||
      type === '>' ||
      head === undefined ||
      head.reply !== undefined ||
      head.whole === true ||
      head.swallowed === true ||
      head.transaction !== undefined ||
      head.confirmations !== undefined ||
      head.told !== undefined ||
      this.#isListening
    )
  }

  get #isListening(): boolean {
    return this.#listening.common > 0 || this.#listening.shard > 0
  }

  #releaseParts(): void {
    for (const part of this.#parts) this.#listener.write(part)
    this.#parts = []
  }

  #whole(): void {
    const bytes = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts)
    this.#parts = []
    const reply = readReply(bytes)
    if (this.#isPushed(reply)) return this.#push(reply)
    this.#finish(reply, bytes)
  }

  /** Whether it is no reply to a command: RESP3 says so, in RESP2 only what it looks like does. */
  #isPushed(reply: Reply): boolean {
    if (reply.type === '>') return true
    if (reply.type !== '*') return false
    const kind = firstWord(reply)
    if (kind === undefined) return false
    if (Object.hasOwn(messages, kind)) return this.#isListening
    return Object.hasOwn(subscriptionCommands, kind) && this.#queue.head?.confirmations !== undefined
  }

  #push(reply: Reply): void {
    const kind = firstWord(reply) ?? ''
    const message = Object.hasOwn(messages, kind) ? messages[kind] : undefined
    if (message !== undefined) {
      const changed = this.#subscriptions.message(message, reply)
      if (changed !== undefined) this.#listener.write(writeReply(changed))
      return
    }
    const command = Object.hasOwn(subscriptionCommands, kind) ? subscriptionCommands[kind] : undefined
    if (command !== undefined) return this.#confirm(command.kind, command.begins, reply)
    this.#listener.write(writeReply(this.#subscriptions.invalidation(reply)))
  }

  #confirm(kind: SubscriptionKind, begins: boolean, reply: Reply): void {
    const items = 'items' in reply ? reply.items : undefined
    const count = items?.[2]
    if (count?.type === ':') this.#listening[kind === 'shard' ? 'shard' : 'common'] = Number(count.text)
    const { head } = this.#queue
    const isAwaited = head?.confirmations !== undefined
    if (!isAwaited || head.swallowed !== true) {
      this.#listener.write(writeReply(this.#subscriptions.confirm(kind, begins, reply)))
    }
    if (!isAwaited) return
    head.confirmations!--
    if (head.confirmations === 0) this.#done(reply)
  }

  /** The reply to the oldest command is complete. */
  #finish(reply: Reply | undefined, bytes?: Buffer): void {
    const { head } = this.#queue
    if (head === undefined) {
      if (bytes !== undefined) this.#listener.write(bytes)
      return
    }
    if (head.transaction !== undefined && reply?.type === '+' && reply.text === 'QUEUED') {
      head.transaction.queued.push(head)
      if (head.swallowed !== true) this.#listener.write(bytes!)
      return this.#done(reply)
    }
    if (reply === undefined) {
      this.#record(head, undefined)
      return this.#done(undefined)
    }
    const changed = head.executes === undefined ? this.#changed(head, reply) : this.#executed(head, reply)
    if (head.executes === undefined) this.#record(head, changed)
    if (head.swallowed !== true) this.#listener.write(changed === reply ? bytes! : writeReply(changed))
    this.#done(reply)
  }

  #changed({ part, reply: change, error: changeError }: Pending, reply: Reply): Reply {
    if (reply.type !== '-') return change === undefined ? reply : change(reply)
    let { text } = reply
    if (part !== undefined) text = text.replaceAll(part.pattern, '')
    if (changeError !== undefined) text = changeError(text)
    return text === reply.text ? reply : { ...reply, text }
  }

  /** EXEC: one reply for each command that was queued. */
  #executed({ executes }: Pending, reply: Reply): Reply {
    if (!('items' in reply) || reply.items === undefined || executes === undefined) return reply
    const items = reply.items.map((item, index) => {
      const queued = executes.queued[index]
      if (queued === undefined) return item
      const changed = this.#changed(queued, item)
      this.#record(queued, changed)
      return changed
    })
    return items.every((item, index) => item === reply.items![index]) ? reply : { ...reply, items }
  }

  #record({ draft, unread, part }: Pending, reply: Reply | undefined): void {
    if (part === undefined) return
    const { recorder } = part.owner
    const type = reply === undefined ? this.#scanner.type : reply.type
    const number = reply === undefined ? this.#scanner.number : numberOf(reply)
    if (unread !== undefined) {
      unread.replied(type, number, reply, this.#now)
      recorder.recordUnread(unread)
    } else if (draft !== undefined) recorder.record(observe(draft, { type, number, reply, at: this.#now }))
  }

  #done(reply: Reply | undefined): void {
    const done = this.#queue.shift()
    this.#writeLocals()
    if (done !== undefined) this.#end(done, reply)
  }

  #end(pending: Pending, reply: Reply | undefined): void {
    pending.part?.ended()
    pending.told?.(reply)
    this.#listener.onDone(pending)
  }

  #writeLocals(): void {
    for (let { head } = this.#queue; head?.local !== undefined; { head } = this.#queue) {
      this.#listener.write(head.local)
      this.#queue.shift()
    }
  }
}

function firstWord(reply: Reply): string | undefined {
  const first = 'items' in reply ? reply.items?.[0] : undefined
  return first !== undefined && 'bytes' in first ? first.bytes?.toString('latin1') : undefined
}

function numberOf(reply: Reply): number | undefined {
  if ('items' in reply) return reply.items?.length ?? -1
  if ('bytes' in reply) return reply.bytes?.length ?? -1
  return reply.type === ':' ? Number(reply.text) : undefined
}
