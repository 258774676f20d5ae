import type { Request } from '../protocol/request-parser.ts'
import type { Reply } from '../protocol/reply.ts'
import type { CommandFacts } from './command-table.ts'
import type { EventFlags } from './key-events.ts'

/** What a command is to be done with, seen from the sandbox it is done in. */
export interface PlanContext {
  /** What stands before every key of the connection's database. */
  readonly keyPrefix: Buffer
  /** What stands before every channel. */
  readonly channelPrefix: Buffer
  /** What stands before everything of the sandbox. */
  readonly prefix: string
  /** How many databases there are. */
  readonly databases: number
  /** The server is one of our own. */
  readonly ownsServer: boolean
  /** The sandbox's notify-keyspace-events. */
  readonly events: { readonly flags: EventFlags | undefined; set(flags: EventFlags): void }
  /** What stands before the keys of another database. */
  keyPrefixOf(database: number): Buffer
  readonly scripts: Scripts
  /** The server's numbers of the sandbox's connections. */
  clientIds(): ReadonlySet<string>
  /** Patterns that the sandbox's connections are subscribed to. */
  patterns(): number
}

/** The scripts that a sandbox knows. */
export interface Scripts {
  /** One that was loaded stays; of those that were only run, the last ones do. */
  wrap(
    script: Buffer,
    isLoaded?: boolean,
  ): { readonly source: Buffer; readonly digest: string; readonly wrappedDigest: string }
  wrappedDigest(digest: string): string | undefined
  flush(): void
}

/** What becomes of a command: it goes to the server, rewritten; it is answered here; or it is refused, with the reason. */
export type Plan = SendPlan | AnswerPlan | RefusePlan

/** A command for the server. */
export interface SendPlan {
  readonly kind: 'send'
  readonly request: readonly (Buffer | string)[]
  /** The keys, as the client names them. */
  readonly keys: readonly Buffer[]
  /** Makes the client's reply of the server's, which is held until it is complete. */
  readonly reply?: (reply: Reply) => Reply
  /** The same for the text of an error. */
  readonly error?: (text: string) => string
  /** It may wait at the server for something to happen. */
  readonly blocks?: boolean
  /** It may leave keys that are not among `keys`. */
  readonly writesUnknown?: boolean
}

/** A command that the server is not asked about. */
export interface AnswerPlan {
  readonly kind: 'answer'
  readonly reply: Reply
}

/** A command that cannot be done in a sandbox. */
export interface RefusePlan {
  readonly kind: 'refuse'
  readonly why: string
}

/** How commands of one name are planned. */
export type Planner = (request: Request, context: PlanContext, facts: CommandFacts | undefined) => Plan

export const ok: Reply = { type: '+', text: 'OK' }

export function answer(reply: Reply): AnswerPlan {
  return { kind: 'answer', reply }
}

export function fail(text: string): AnswerPlan {
  return answer({ type: '-', text })
}

export function refuse(why: string): RefusePlan {
  return { kind: 'refuse', why }
}

/** As it came: it touches nothing that belongs to a sandbox, or is malformed and the server will say so. */
export function pass(request: Request): SendPlan {
  return { kind: 'send', request, keys: [] }
}

/** An argument in lower case. */
export function word(request: Request, position: number): string {
  return request[position]?.toString('latin1').toLowerCase() ?? ''
}
