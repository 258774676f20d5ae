import type { EventSetting } from './event-setting.ts'
import { startsWith } from '../commands/reply-keys.ts'
import type { Reply } from '../protocol/reply.ts'

/** What one can be subscribed to. */
export type SubscriptionKind = 'channel' | 'pattern' | 'shard'

/** What stands before channels and keys of the sandbox that listens. */
export interface ListeningPlace {
  readonly prefix: string
  readonly channelPrefix: Buffer
  readonly events: EventSetting
  keyPrefix(database: number): Buffer
}

interface SubscriptionCommand {
  readonly kind: SubscriptionKind
  readonly begins: boolean
}

export const subscriptionCommands: Readonly<Record<string, SubscriptionCommand>> = {
  subscribe: { kind: 'channel', begins: true },
  psubscribe: { kind: 'pattern', begins: true },
  ssubscribe: { kind: 'shard', begins: true },
  unsubscribe: { kind: 'channel', begins: false },
  punsubscribe: { kind: 'pattern', begins: false },
  sunsubscribe: { kind: 'shard', begins: false },
}

/** What the server calls a message of each kind, and the commands for it. */
export const subscribeWith: Readonly<Record<SubscriptionKind, readonly [begin: string, end: string]>> = {
  channel: ['SUBSCRIBE', 'UNSUBSCRIBE'],
  pattern: ['PSUBSCRIBE', 'PUNSUBSCRIBE'],
  shard: ['SSUBSCRIBE', 'SUNSUBSCRIBE'],
}

const kinds: readonly SubscriptionKind[] = ['channel', 'pattern', 'shard']

/** What a connection is subscribed to: the client's names, and those that the server knows. */
export class Subscriptions {
  /** By kind, the client's name of each of the server's. */
  readonly #names: Readonly<Record<SubscriptionKind, Map<string, Buffer>>> = {
    channel: new Map(),
    pattern: new Map(),
    shard: new Map(),
  }
  readonly #database: number
  readonly #anyKeyPrefix: RegExp
  /** Where the names lead: `undefined` while there is nothing. */
  #place: ListeningPlace | undefined

  /**
   * @param database the server's database that the keys are in: notifications name it.
   * @param prefix what stands before the names of all sandboxes.
   */
  constructor(database: number, prefix: string) {
    this.#database = database
    this.#anyKeyPrefix = new RegExp(`^${prefix}\\w+:\\d+:`)
  }

  get place(): ListeningPlace | undefined {
    return this.#place
  }

  get isEmpty(): boolean {
    return kinds.every((kind) => this.#names[kind].size === 0)
  }

  count(kind: SubscriptionKind): number {
    return this.#names[kind].size
  }

  /** Adds names of the client and returns the server's. */
  add(kind: SubscriptionKind, names: readonly Buffer[], place: ListeningPlace): Buffer[] {
    this.#place = place
    return names.map((name) => {
      const real = this.#realName(kind, name, place)
      this.#names[kind].set(real.toString('latin1'), name)
      return real
    })
  }

  /** The server's names of the client's; they stay known until the server has confirmed their end. */
  realNames(kind: SubscriptionKind, names: readonly Buffer[]): Buffer[] {
    const place = this.#place
    return place === undefined ? [...names] : names.map((name) => this.#realName(kind, name, place))
  }

  /** Everything, as commands that begin it anew in another place: the old names, then the new ones. */
  *move(place: ListeningPlace): Generator<{ kind: SubscriptionKind; old: Buffer[]; now: Buffer[] }> {
    for (const kind of kinds) {
      const names = this.#names[kind]
      if (names.size === 0) continue
      const old = [...names.keys()].map((name) => Buffer.from(name, 'latin1'))
      const clients = [...names.values()]
      names.clear()
      yield { kind, old, now: this.add(kind, clients, place) }
    }
    this.#place = place
  }

  clear(): void {
    for (const kind of kinds) this.#names[kind].clear()
  }

  /** A confirmation as the client is to see it. */
  confirm(kind: SubscriptionKind, begins: boolean, reply: Reply): Reply {
    if (!('items' in reply) || reply.items === undefined) return reply
    const real = bytesOf(reply.items[1])
    if (real === undefined) return reply
    const key = real.toString('latin1')
    const name = this.#names[kind].get(key) ?? this.#withoutPrefix(real)
    if (!begins) this.#names[kind].delete(key)
    return { ...reply, items: reply.items.map((item, index) => (index === 1 ? { type: '$', bytes: name } : item)) }
  }

  /** A message as the client is to see it; `undefined` when it is none of its sandbox. */
  message(kind: SubscriptionKind, reply: Reply): Reply | undefined {
    if (!('items' in reply) || reply.items === undefined) return reply
    const items = [...reply.items]
    const at = kind === 'pattern' ? 2 : 1
    const channel = bytesOf(items[at])
    if (channel === undefined) return reply
    if (kind === 'pattern') {
      const pattern = this.#names.pattern.get(bytesOf(items[1])?.toString('latin1') ?? '')
      if (pattern !== undefined) items[1] = { type: '$', bytes: pattern }
    }
    const text = channel.toString('latin1')
    const notification = /^__key(space|event)@\d+__:/.exec(text)
    if (notification === null) {
      items[at] = { type: '$', bytes: this.#withoutPrefix(channel) }
      return { ...reply, items }
    }
    // Of keys every sandbox hears: what is not this one's is not passed on.
    const isSpace = notification[1] === 'space'
    const named = isSpace ? text.slice(notification[0].length) : (bytesOf(items[at + 1])?.toString('latin1') ?? '')
    const ours = this.#ownKey(named)
    if (ours === undefined) return undefined
    const channelOf = text.slice(notification[0].length)
    const event = isSpace ? (bytesOf(items[at + 1])?.toString('latin1') ?? '') : channelOf
    if (this.#place?.events.hears(isSpace ? 'K' : 'E', event) === false) return undefined
    const rest = isSpace ? ours.key : channelOf
    items[at] = { type: '$', bytes: Buffer.from(`__key${notification[1]}@${ours.database}__:${rest}`, 'latin1') }
    if (!isSpace) items[at + 1] = { type: '$', bytes: Buffer.from(ours.key, 'latin1') }
    return { ...reply, items }
  }

  /** A key that changed, of those that CLIENT TRACKING watches. */
  invalidation(reply: Reply): Reply {
    if (!('items' in reply) || reply.items === undefined) return reply
    return { ...reply, items: reply.items.map((item) => this.#withoutKeyPrefix(item)) }
  }

  #withoutKeyPrefix(item: Reply): Reply {
    if ('items' in item && item.items !== undefined) {
      return { ...item, items: item.items.map((one) => this.#withoutKeyPrefix(one)) }
    }
    if (!('bytes' in item) || item.bytes === undefined) return item
    return { ...item, bytes: Buffer.from(item.bytes.toString('latin1').replace(this.#anyKeyPrefix, ''), 'latin1') }
  }

  #realName(kind: SubscriptionKind, name: Buffer, place: ListeningPlace): Buffer {
    const text = name.toString('latin1')
    if (kind === 'shard' || !/^__key(?:space|event)?[@*]/.test(text)) return Buffer.concat([place.channelPrefix, name])
    const space = /^__keyspace@(\d+|\*)__:/.exec(text)
    if (space !== null) {
      const rest = text.slice(space[0].length)
      const keys = space[1] === '*' ? `${place.prefix}*:` : place.keyPrefix(Number(space[1])).toString('latin1')
      return Buffer.from(`__keyspace@${this.#database}__:${keys}${rest}`, 'latin1')
    }
    return Buffer.from(text.replace(/^__keyevent@\d+__:/, `__keyevent@${this.#database}__:`), 'latin1')
  }

  #withoutPrefix(channel: Buffer): Buffer {
    const prefix = this.#place?.channelPrefix
    return prefix !== undefined && startsWith(channel, prefix) ? channel.subarray(prefix.length) : channel
  }

  #ownKey(name: string): { database: string; key: string } | undefined {
    const prefix = this.#place?.prefix
    if (prefix === undefined || !name.startsWith(prefix)) return undefined
    const end = name.indexOf(':', prefix.length)
    return { database: name.slice(prefix.length, end), key: name.slice(end + 1) }
  }
}

function bytesOf(reply: Reply | undefined): Buffer | undefined {
  return reply !== undefined && 'bytes' in reply ? reply.bytes : undefined
}
