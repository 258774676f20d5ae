import { Faults } from './faults.ts'
import type { InjectedFault } from './injected-fault.ts'

/** What an observed query is: one statement that crossed between the application and Postgres. */
export interface ObservedQuery {
  readonly component: 'postgres'
  /** The statement's text as the client sent it. */
  readonly text: string
  /** Parameters in order: text-format values as strings, binary-format values as bytes, SQL NULL as `null`. */
  readonly params: readonly (string | Uint8Array | null)[]
  /** The command tag's word(s): `INSERT`, `SELECT`, `CREATE TABLE`; `undefined` when the statement failed. */
  readonly command: string | undefined
  /** Rows returned or changed, from the command tag; `undefined` where the tag has no count. */
  readonly rowCount: number | undefined
  /** Milliseconds between dispatch to the server and its last answer. */
  readonly durationMs: number
  /** What the server said when the statement failed. */
  readonly error: { readonly code: string; readonly message: string } | undefined
  /** Number of the virtual connection in this process, from 1. */
  readonly connection: number
  /** Number of the application's transaction in this sandbox, from 1; `undefined` outside one. */
  readonly transaction: number | undefined
  /** The fault that broke it; see `sandbox.fault`. */
  readonly fault?: InjectedFault | undefined
  /** Milliseconds since the sandbox opened. */
  readonly at: number
}

/** What an observed call is: one call of a double's function. */
export interface ObservedCall {
  readonly component: 'mock'
  /** The mock's name, as `defineMock` was given it. */
  readonly mock: string
  /** The function's name in the contract. */
  readonly fn: string
  readonly args: readonly unknown[]
  /** How the call ended; `'pending'` as long as what it returned has not settled. */
  readonly outcome: 'pending' | 'returned' | 'threw'
  /** What it returned (what that resolved to), or threw. */
  readonly value: unknown
  /** Milliseconds until it ended; `undefined` while it is pending. */
  readonly durationMs: number | undefined
  /** The fault that broke it; see `sandbox.fault`. */
  readonly fault?: InjectedFault | undefined
  /** Milliseconds since the sandbox opened. */
  readonly at: number
}

/** One mailbox as a header of a mail names it. */
export interface MailAddress {
  /** The name beside the address; `undefined` where there is none. */
  readonly name: string | undefined
  readonly address: string
}

/** A part of a mail that is not its text: a file, or an image that its HTML shows. */
export interface MailAttachment {
  /** Its file name; `undefined` where it was given none. */
  readonly name: string | undefined
  /** Its media type: `application/pdf`. */
  readonly type: string
  /** Its bytes, decoded. */
  readonly content: Uint8Array
  /** The content id that the HTML refers to as `cid:…`, without its brackets. */
  readonly cid: string | undefined
  /** It is shown inside the body and not offered as a file. */
  readonly inline: boolean
}

/** What an observed mail is: one message that the application's mail client handed over, for one or several recipients. */
export interface ObservedMail {
  readonly component: 'mail'
  /** `undefined` where the mail has no such header, or one that names nobody. */
  readonly from: MailAddress | undefined
  readonly to: readonly MailAddress[]
  readonly cc: readonly MailAddress[]
  /** Recipients of the envelope that no header names. */
  readonly bcc: readonly MailAddress[]
  readonly replyTo: readonly MailAddress[]
  /** Decoded; empty where the mail has none. */
  readonly subject: string
  /** The text as it was sent; `undefined` where the mail has no part of text. */
  readonly text: string | undefined
  /** The HTML as it was sent, its `cid:` links included; `undefined` where the mail has none. */
  readonly html: string | undefined
  /** Every header by its name in lower case, unfolded and decoded; one that stands several times is joined by line breaks. */
  readonly headers: Readonly<Record<string, string>>
  readonly attachments: readonly MailAttachment[]
  /** What the mail client told the server, whatever the headers say. */
  readonly envelope: { readonly from: string; readonly to: readonly string[] }
  /** Addresses of pages in the text and in the HTML's links, in order, each once. */
  readonly links: readonly string[]
  /** The message as it came. */
  readonly raw: Uint8Array
  /** Why it could not be read to its end; what could be read is in the other fields. */
  readonly parseError: string | undefined
  /** The fault that broke it; see `sandbox.fault`. */
  readonly fault?: InjectedFault | undefined
  /** Milliseconds since the sandbox opened. */
  readonly at: number
}

/** What an observed request is: one request of the application to an HTTP service, and what it was answered. */
export interface ObservedRequest {
  readonly component: 'http'
  /** The service's name, as `defineService` was given it; `undefined` where no service has the URL. */
  readonly service: string | undefined
  readonly method: string
  /** As the application asked for it, the query included. */
  readonly url: string
  /** Names in lower case; one that came several times has its values joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** A text where the bytes are UTF-8, else the bytes; `undefined` when there was none. */
  readonly body: string | Uint8Array | undefined
  /** The answer's status; `undefined` as long as there is none. */
  readonly status: number | undefined
  /** The answer's body, or its first 64 KB, as `body`. */
  readonly responseBody: string | Uint8Array | undefined
  /** Milliseconds until it was answered whole, or ended without; `undefined` while it is under way. */
  readonly durationMs: number | undefined
  /** Why it has no whole answer: what became of the connection, or who refused it. */
  readonly error: string | undefined
  /** The fault that broke it; see `sandbox.fault`. */
  readonly fault?: InjectedFault | undefined
  /** Milliseconds since the sandbox opened. */
  readonly at: number
}

/** What an observed command is: one command that crossed between the application and Redis. */
export interface ObservedCommand {
  readonly component: 'redis'
  /** In upper case, with its subcommand: `GET`, `XGROUP CREATE`. */
  readonly command: string
  /** What followed the command, as text; a long one is cut, and says how long it was. */
  readonly args: readonly string[]
  /** The keys it names, as the application names them. */
  readonly keys: readonly string[]
  readonly effect: 'read' | 'write' | 'delete' | 'other'
  /** The keys that a read found. */
  readonly hits: readonly string[]
  /** The keys that a read did not find. */
  readonly misses: readonly string[]
  /** Milliseconds until what it wrote expires; `undefined` when it said nothing of that. */
  readonly ttlMs: number | undefined
  /** Milliseconds between dispatch to the server and its reply. */
  readonly durationMs: number
  /** What the server said when the command failed. */
  readonly error: string | undefined
  /** Number of the client's connection in this process, from 1. */
  readonly connection: number
  /** Number of the MULTI … EXEC it was in, in this sandbox, from 1; `undefined` outside one. */
  readonly transaction: number | undefined
  /** The fault that broke it; see `sandbox.fault`. */
  readonly fault?: InjectedFault | undefined
  /** Milliseconds since the sandbox opened. */
  readonly at: number
}

/** What an observed message is: one message that arrived in an inbox. */
export interface ObservedMessage {
  readonly component: 'pubsub'
  /** The name of the inbox that it arrived in. */
  readonly inbox: string
  /** What the inbox listens to: `Redis channel notifications:1`. */
  readonly source: string
  /** The channel, subject or name that it came on. */
  readonly topic: string
  /** What it says, decoded where it came as a text. */
  readonly payload: unknown
  /** The text as it came over a wire; `undefined` for a value of this process, and for bytes that are no text. */
  readonly text: string | undefined
  /** The message's own id, where its source gives one. */
  readonly id: string | undefined
  /** Milliseconds since the sandbox opened. */
  readonly at: number
}

/** One thing that crossed between the application and a component. */
export type Interaction =
  | ObservedQuery
  | ObservedCommand
  | ObservedCall
  | ObservedMail
  | ObservedRequest
  | ObservedMessage

/** Something that would behave differently in production, said aloud and recorded. */
export interface FidelityWarning {
  readonly component: string
  /** A stable identifier: `transaction-isolation`, `listen-delivery`, … */
  readonly kind: string
  /** What differs, what was seen, and the remedy. */
  readonly message: string
  /** The statement that caused it, where there is one. */
  readonly text?: string
}

/** Interactions in order, all together and by the component that they crossed to. */
export interface Trace {
  readonly interactions: readonly Interaction[]
  readonly queries: readonly ObservedQuery[]
  readonly commands: readonly ObservedCommand[]
  readonly calls: readonly ObservedCall[]
  readonly mails: readonly ObservedMail[]
  readonly requests: readonly ObservedRequest[]
  readonly messages: readonly ObservedMessage[]
}

/** What a block did: see `sandbox.observe`. */
export interface Observation<T> extends Trace {
  readonly result: T
}

/** The interactions with one component. */
export function interactionsWith<C extends Interaction['component']>(
  component: C,
  interactions: readonly Interaction[],
): readonly Extract<Interaction, { component: C }>[] {
  return interactions.filter((one): one is Extract<Interaction, { component: C }> => one.component === component)
}

/** The mails that have arrived: not those that a fault kept from it. */
export function mailsIn(interactions: readonly Interaction[]): readonly ObservedMail[] {
  return interactionsWith('mail', interactions).filter(hasArrived)
}

/** Whether a mail is in the mailbox. */
export function hasArrived({ fault }: ObservedMail): boolean {
  return fault === undefined || fault.moment === 'after'
}

/** Interactions, sorted by component as well. */
export function traceOf(interactions: readonly Interaction[]): Trace {
  return {
    interactions,
    queries: interactionsWith('postgres', interactions),
    commands: interactionsWith('redis', interactions),
    calls: interactionsWith('mock', interactions),
    mails: mailsIn(interactions),
    requests: interactionsWith('http', interactions),
    messages: interactionsWith('pubsub', interactions),
  }
}

/** A statement that is not the application's. */
export type OwnStatement = Pick<ObservedQuery, 'text' | 'command'>

/** An interaction that is put into words when somebody reads it. */
export interface UnreadInteraction {
  observe(): Interaction
}

/** A sandbox's trace while it is being written. Components write, everything else reads. */
export class Recorder {
  readonly #interactions: Interaction[] = []
  /** Those behind `#interactions` that nobody has read. */
  readonly #unread: UnreadInteraction[] = []
  readonly #warnings: FidelityWarning[] = []
  readonly #failures: unknown[] = []
  readonly #ownStatements: OwnStatement[] = []
  readonly #readers: Set<(interaction: Interaction) => void> = new Set()
  /** What is to be broken of what crosses. */
  readonly faults: Faults

  /** `around`: of the sandbox around it, whose faults strike here as well. */
  constructor(around?: Recorder) {
    this.faults = new Faults(around?.faults)
  }

  record(interaction: Interaction): void {
    this.#read()
    this.#interactions.push(interaction)
    for (const read of this.#readers) read(interaction)
  }

  /** Records a statement that Vivarium ran for the test itself, as a factory does: no interaction of the application. */
  recordOwn({ text, command }: OwnStatement): void {
    this.#ownStatements.push({ text, command })
  }

  /** The same for one that may never be read. */
  recordUnread(interaction: UnreadInteraction): void {
    if (this.#readers.size > 0) this.record(interaction.observe())
    else this.#unread.push(interaction)
  }

  /** Calls `read` with each interaction from now on, as it is recorded, until the returned function is called. */
  follow(read: (interaction: Interaction) => void): () => void {
    this.#readers.add(read)
    return () => void this.#readers.delete(read)
  }

  /** Records a warning once per kind, statement text and message. */
  warn(warning: FidelityWarning): void {
    const { kind, text, message } = warning
    if (this.#warnings.some((known) => known.kind === kind && known.text === text && known.message === message)) return
    this.#warnings.push(warning)
  }

  /** Records a failure that must fail the test at close, whatever the application did with it. */
  fail(error: unknown): void {
    this.#failures.push(error)
  }

  get interactions(): readonly Interaction[] {
    this.#read()
    return this.#interactions
  }

  /** What Vivarium ran for the test, in order: not in the trace, but it may have changed something. */
  get ownStatements(): readonly OwnStatement[] {
    return this.#ownStatements
  }

  get fidelityWarnings(): readonly FidelityWarning[] {
    return this.#warnings
  }

  get failures(): readonly unknown[] {
    return this.#failures
  }

  /** The interactions recorded since `from` (an earlier `interactions.length`). */
  since(from: number): readonly Interaction[] {
    return this.interactions.slice(from)
  }

  #read(): void {
    if (this.#unread.length === 0) return
    for (const unread of this.#unread.splice(0)) this.#interactions.push(unread.observe())
  }
}
