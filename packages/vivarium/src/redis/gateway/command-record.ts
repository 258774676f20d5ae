import { now } from '../../core/clock.ts'
import type { ObservedCommand } from '../../core/interactions.ts'
import type { CommandFacts } from '../commands/command-table.ts'
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
}

/** What is looked at of a reply: its first line, and the whole of it where that was held anyway. */
export interface ReplyHead {
  readonly type: string | undefined
  readonly number: number | undefined
  readonly reply: Reply | undefined
}

const longest = 4096

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
    command: name.replace('|', ' ').toUpperCase(),
    args: request.slice(name.includes('|') ? 2 : 1).map(textOf),
    keys: names,
    effect: isDelete ? 'delete' : facts?.writes === true ? 'write' : facts?.reads === true ? 'read' : 'other',
    ...found,
    ttlMs: readTtl(name, request),
    durationMs: now() - draft.sentAt,
    error,
    connection,
    transaction,
    at: draft.at,
  }
}

const deletes: ReadonlySet<string> = new Set(['del', 'unlink', 'getdel', 'flushdb', 'flushall'])
/** They write, and tell what was there. */
const readsToo: ReadonlySet<string> = new Set(['getex', 'getdel'])
/** Where 0 means that nothing is there: but for a string, what is empty is not there. */
const zeroIsMiss: ReadonlySet<string> = new Set(['exists', 'strlen', 'llen', 'hlen', 'scard', 'zcard'])
/** Where 0 is said of a key that is there, too. */
const zeroIsUndecided: ReadonlySet<string> = new Set(['hexists', 'sismember'])
/** Whose replies have to be read for that. */
export const readWhole: ReadonlySet<string> = new Set(['mget', 'hmget', 'type'])

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
