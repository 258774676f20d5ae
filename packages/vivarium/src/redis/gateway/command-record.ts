import type { InjectedFault } from '../../core/injected-fault.ts'
import type { ObservedCommand } from '../../core/interactions.ts'
import { findPlaces, type KnownCommand } from '../commands/command-index.ts'
import type { CommandFacts } from '../commands/command-table.ts'
import { type RawRequest, readAgain } from '../protocol/raw-request.ts'
import type { Reply } from '../protocol/reply.ts'
import type { Request } from '../protocol/request-parser.ts'
import { readTtl } from './ttl.ts'

/** A command that was sent, until its reply is there. */
export interface CommandDraft {
  readonly name: string
  readonly request: Request
  readonly keys: readonly Buffer[]
  readonly facts: CommandFacts | undefined
  readonly connection: number
  readonly transaction: number | undefined
  readonly sentAt: number
  readonly at: number
  /** The fault that breaks it. */
  readonly fault?: InjectedFault | undefined
}

/** What is looked at of a reply: its first line, and the whole of it where that was held anyway. */
export interface ReplyHead {
  readonly type: string | undefined
  readonly number: number | undefined
  readonly reply: Reply | undefined
  /** When it came. */
  readonly at: number
}

const longest = 4096
/** Bytes that it came among, and that would be kept with it. */
const mostKept = 64 * 1024

/** The interaction that a command and its reply make. */
export function observe(draft: CommandDraft, head: ReplyHead): ObservedCommand {
  const { name, request, keys, facts, connection, transaction } = draft
  const error = head.reply?.type === '-' ? head.reply.text : undefined
  const names = keys.map(textOf)
  const isDelete = deletes.has(name)
  const found =
    error === undefined && (facts?.reads === true || readsToo.has(name)) ? lookUp(name, names, head) : nothing
  return {
    component: 'redis',
    command: nameOf(draft),
    args: request.slice(name.includes('|') ? 2 : 1).map(textOf),
    keys: names,
    effect: isDelete ? 'delete' : facts?.writes === true ? 'write' : facts?.reads === true ? 'read' : 'other',
    ...found,
    ttlMs: readTtl(name, request),
    durationMs: head.at - draft.sentAt,
    error,
    connection,
    transaction,
    fault: draft.fault,
    at: draft.at,
  }
}

/** `XGROUP CREATE` */
export function nameOf({ name }: Pick<CommandDraft, 'name'>): string {
  return name.replace('|', ' ').toUpperCase()
}

/** A command with keys at places, as most are. Few of them are looked at: it is put into words when somebody does. */
export class UnreadCommand {
  readonly #known: KnownCommand
  readonly #bytes: Buffer
  readonly #begin: number
  readonly #connection: number
  readonly #sentAt: number
  readonly #at: number
  #type: string | undefined
  #number: number | undefined
  #reply: Reply | undefined
  #repliedAt = 0

  /** `at` is milliseconds since the sandbox opened. */
  constructor(known: KnownCommand, request: RawRequest, connection: number, sentAt: number, at: number) {
    const { bytes, begin, end } = request
    // What came among much else is kept without it.
    const isCopied = bytes.length > mostKept
    this.#known = known
    this.#bytes = isCopied ? Buffer.from(bytes.subarray(begin, end)) : bytes
    this.#begin = isCopied ? 0 : begin
    this.#connection = connection
    this.#sentAt = sentAt
    this.#at = at
  }

  replied(type: string | undefined, number: number | undefined, reply: Reply | undefined, at: number): void {
    this.#type = type
    this.#number = number
    this.#reply = reply
    this.#repliedAt = at
  }

  observe(): ObservedCommand {
    const { name, facts, places } = this.#known
    const request = readAgain(this.#bytes, this.#begin)
    const keys = findPlaces(places!, request.length, [])!.map((place) => request[place]!)
    const draft = { name, facts, request, keys, connection: this.#connection, sentAt: this.#sentAt, at: this.#at }
    return observe(
      { ...draft, transaction: undefined },
      { type: this.#type, number: this.#number, reply: this.#reply, at: this.#repliedAt },
    )
  }
}

const deletes: ReadonlySet<string> = new Set(['del', 'unlink', 'getdel', 'flushdb', 'flushall'])
/** They write, and tell what was there. */
const readsToo: ReadonlySet<string> = new Set(['getex', 'getdel'])
/** Where 0 means that nothing is there: but for a string, what is empty is not there. */
const zeroIsMiss: ReadonlySet<string> = new Set(['exists', 'strlen', 'llen', 'hlen', 'scard', 'zcard'])
/** Where 0 is said of a key that is there, too. */
const zeroIsUndecided: ReadonlySet<string> = new Set(['hexists', 'sismember'])

interface Found {
  readonly hits: readonly string[]
  readonly misses: readonly string[]
}

const nothing: Found = { hits: [], misses: [] }

function lookUp(name: string, keys: readonly string[], { type, number, reply }: ReplyHead): Found {
  if (name === 'mget') {
    const items = reply !== undefined && 'items' in reply ? (reply.items ?? []) : []
    const isThere = (index: number): boolean => !isNull(items[index])
    return { hits: keys.filter((_, index) => isThere(index)), misses: keys.filter((_, index) => !isThere(index)) }
  }
  // Of several keys one number or list does not tell which were there.
  if (keys.length !== 1) return nothing
  if (type === ':' && number === 0 && zeroIsUndecided.has(name)) return nothing
  const isMiss =
    type === '_' ||
    ((type === '$' || type === '*') && number === -1) ||
    ((type === '*' || type === '%' || type === '~') && number === 0) ||
    (type === ':' && number === 0 && zeroIsMiss.has(name)) ||
    (type === ':' && number === -2) ||
    (name === 'hmget' && reply !== undefined && 'items' in reply && (reply.items ?? []).every(isNull)) ||
    (name === 'type' && reply !== undefined && 'text' in reply && reply.text === 'none')
  return isMiss ? { hits: [], misses: keys } : { hits: keys, misses: [] }
}

function isNull(reply: Reply | undefined): boolean {
  return reply === undefined || reply.type === '_' || ('bytes' in reply && reply.bytes === undefined)
}

function textOf(bytes: Buffer): string {
  if (bytes.length <= longest) return bytes.toString()
  return `${bytes.toString('utf8', 0, longest)}… (${bytes.length} bytes)`
}
