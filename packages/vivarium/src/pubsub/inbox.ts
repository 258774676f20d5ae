import { withDeadline } from '../core/clock.ts'
import { VivariumError } from '../core/errors.ts'
import type { ObservedMessage } from '../core/interactions.ts'
import { closeOnce } from '../core/lifecycle.ts'
import type { ArrivedMessage, MessageSource, SourceEnd } from '../core/message-source.ts'
import { findCurrentOwner, findOwner, isWithin, type SandboxOwner } from '../core/owner.ts'
import { type Decode, decodeData, type DecodedData } from './decode.ts'
import { millisecondsAt, refuseUnknownKeys } from '../core/options.ts'
import { broken, notClosed, notOpened, notShared, saidBy } from './inbox-errors.ts'
import { isOn, type TopicPattern } from './message-pattern.ts'
import { waitIn } from './pubsub-part.ts'
import { renderFinding } from './render-messages.ts'

/** How an inbox is opened. */
export interface OpenInboxOptions {
  /** Names it in messages. @default the source's name */
  name?: string
  /**
   * What becomes of a text that came over a wire: `'text'` leaves it as it is, a function makes the payload of it.
   * @default JSON is parsed where the text is an object or an array; everything else stays a text
   */
  decode?: Decode
  /** Milliseconds that the subscription may take. @default 10_000 */
  within?: number
}

/** Where an inbox stands. */
export type InboxState =
  | { readonly is: 'opening' | 'open' | 'closed' }
  /** Its source has ended; with an error: is broken. */
  | { readonly is: 'ended'; readonly error?: unknown }

/** One message in an inbox. */
export interface Arrival {
  readonly message: ObservedMessage
  /** The sandbox that it arrived in: the inbox's own, or one inside of it. */
  readonly owner: SandboxOwner
  /** An assertion has accounted for it. */
  isExpected: boolean
}

const closeMs = 2000

// One inbox is known to the other copies of this module: the ES module, the CommonJS build.
const brand = Symbol.for('vivarium.inbox')

/** Options of `next`. */
export interface NextMessageOptions {
  /** Milliseconds. @default 1000 */
  within?: number
  /** Only messages that came on it. @default any */
  topic?: TopicPattern
}

/** What arrived from a source. */
export interface Inbox extends AsyncDisposable {
  readonly name: string
  /**
   * What has arrived so far, in order. An inbox that was opened for a whole file shows each test what arrived in that test.
   */
  readonly messages: readonly ObservedMessage[]
  /**
   * Resolves to the first message that neither an assertion nor an earlier `next` has accounted for, and accounts for it.
   * Rejects with `MESSAGE_NOT_RECEIVED`.
   */
  next(options?: NextMessageOptions): Promise<ObservedMessage>
  /** Ends the subscription: nothing arrives any more. Its sandbox does it as well, when it closes. */
  close(): Promise<void>
}

/** What a source delivers, kept in order, in the sandbox that it was opened in. */
export class SandboxInbox implements Inbox {
  readonly name: string
  readonly owner: SandboxOwner
  readonly close: () => Promise<void>
  readonly #source: MessageSource
  readonly #decode: Decode | undefined
  readonly #arrivals: Arrival[] = []
  readonly #followers: Set<() => void> = new Set()
  #state: InboxState = { is: 'opening' }
  #opening: Promise<SourceEnd> | undefined
  #isTelling = false

  constructor(
    owner: SandboxOwner,
    source: MessageSource,
    { name = source.name, decode }: Pick<OpenInboxOptions, 'name' | 'decode'>,
  ) {
    Object.defineProperty(this, brand, { value: true })
    this.owner = owner
    this.name = name
    this.#source = source
    this.#decode = decode
    this.close = closeOnce(() => this.#close())
  }

  static is(value: unknown): value is SandboxInbox {
    return typeof value === 'object' && value !== null && brand in value
  }

  get messages(): readonly ObservedMessage[] {
    return this.arrivalsIn(this.asking()).map(({ message }) => message)
  }

  async next(options: NextMessageOptions = {}): Promise<ObservedMessage> {
    refuseUnknownKeys(options, ['within', 'topic'], '', 'inbox.next()')
    const { topic } = options
    const within = millisecondsAt(options.within, 'within', 'inbox.next()') ?? 1000
    const asking = this.asking()
    const look = (): ObservedMessage | undefined => {
      const next = this.arrivalsIn(asking).find(({ message, isExpected }) => !isExpected && isOn(message.topic, topic))
      if (next !== undefined) {
        // At once: another one that waits is to have the message behind it.
        next.isExpected = true
        return next.message
      }
      if (this.#state.is === 'opening' || this.#state.is === 'open') return undefined
      throw noNext(this, asking, topic, 'before its source ended')
    }
    const late = (): never => {
      throw noNext(this, asking, topic, `within ${within} ms`)
    }
    const follow = (changed: () => void): (() => void) => this.follow(changed)
    return waitIn(asking, `next() of the inbox on ${this.name}`, { look, follow, within, late })
  }

  get state(): InboxState {
    return this.#state
  }

  /** Rejects unless the subscription stands within so many milliseconds. */
  async open(within: number): Promise<void> {
    const { name } = this.#source
    this.#opening = this.#subscribe()
    try {
      await withDeadline(this.#opening, within, () => notOpened(name, `no subscription within ${within} ms`))
    } catch (error) {
      // Not waited for: should it stand after all, it is ended then.
      this.close().catch(() => undefined)
      throw error instanceof VivariumError ? error : notOpened(name, saidBy(error), error)
    }
    if (this.#state.is === 'ended' && this.#state.error !== undefined) {
      await this.close()
      throw notOpened(name, saidBy(this.#state.error), this.#state.error)
    }
    if (this.#state.is === 'opening') this.#state = { is: 'open' }
  }

  /** The sandbox that asks: that of this flow, where it is one inside of the inbox's own. */
  asking(): SandboxOwner {
    const found = findOwner()
    if (found === undefined || found === this.owner || !isWithin(found, this.owner)) return this.owner
    if (this.#source.hearsOneSandbox === true) throw notShared(this.name, this.owner.title, found.title)
    return found
  }

  /** What arrived in a sandbox, in order. */
  arrivalsIn(owner: SandboxOwner): readonly Arrival[] {
    return this.#arrivals.filter((arrival) => arrival.owner === owner)
  }

  /** Calls `changed` with each message, and when no more will come. */
  follow(changed: () => void): () => void {
    this.#followers.add(changed)
    return () => void this.#followers.delete(changed)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #subscribe(): Promise<SourceEnd> {
    const { title, isolation } = this.owner
    const owner = this.owner
    const sandbox = {
      title,
      isolation,
      get postgres() {
        return owner.postgres
      },
      get redis() {
        return owner.redis
      },
    }
    return this.#source.open({
      sandbox,
      deliver: (message) => this.#deliver(message),
      ended: (error) => this.#end(error),
    })
  }

  #deliver({ topic, data, payload, id }: ArrivedMessage): void {
    if (this.#state.is !== 'opening' && this.#state.is !== 'open') return
    let decoded: DecodedData = { text: undefined, payload }
    try {
      if (data !== undefined) decoded = decodeData(data, this.#decode)
    } catch (error) {
      // It is shown as it came, and nobody waits for what can no longer be told.
      this.#arrive({ topic, id, ...decodeData(data!, 'text') })
      this.#end(new Error(`\`decode\` threw: ${saidBy(error)}`, { cause: error }))
      return
    }
    this.#arrive({ topic, id, ...decoded })
  }

  #arrive({ topic, text, payload, id }: DecodedData & Pick<ArrivedMessage, 'topic' | 'id'>): void {
    const owner = this.#ownerOfArrival()
    const { name: inbox } = this
    const source = this.#source.name
    const message: ObservedMessage = {
      component: 'pubsub',
      inbox,
      source,
      topic,
      payload,
      text,
      id,
      at: owner.elapsed(),
    }
    this.#arrivals.push({ message, owner, isExpected: false })
    owner.recorder.record(message)
    this.#tell()
  }

  /** Of the flow that it comes from; where that tells nothing, of what the worker is at. */
  #ownerOfArrival(): SandboxOwner {
    const found = [findOwner(), findCurrentOwner()].find((one) => one !== this.owner && isWithin(one, this.owner))
    return found ?? this.owner
  }

  #end(error?: unknown): void {
    if (this.#state.is !== 'opening' && this.#state.is !== 'open') return
    this.#state = { is: 'ended', error }
    this.#tell()
  }

  /** Once for all that comes in one go: each look is at everything that has arrived. */
  #tell(): void {
    if (this.#isTelling || this.#followers.size === 0) return
    this.#isTelling = true
    queueMicrotask(() => {
      this.#isTelling = false
      for (const changed of this.#followers) changed()
    })
  }

  async #close(): Promise<void> {
    if (this.#state.is !== 'ended') this.#state = { is: 'closed' }
    this.#tell()
    const opening = this.#opening
    if (opening === undefined) return
    const end = async (): Promise<void> => {
      // One that could not be opened has nothing to end.
      const endSource = await opening.catch(() => undefined)
      await endSource?.()
    }
    await withDeadline(end(), closeMs, () => notClosed(this.#source.name, closeMs))
  }
}

/** Throws `INBOX_BROKEN` where the source of an inbox is broken: then nothing can be said of what did not come. */
export function assertWhole({ name, state }: Pick<SandboxInbox, 'name' | 'state'>): void {
  if (state.is === 'ended' && state.error !== undefined) throw broken(name, state.error)
}

function noNext(
  inbox: SandboxInbox,
  asking: SandboxOwner,
  topic: TopicPattern | undefined,
  when: string,
): VivariumError {
  const pattern = { expected: undefined, topic }
  const messages = inbox.arrivalsIn(asking).map((arrival) => ({ arrival, mismatches: [] }))
  const { name, state } = inbox
  return new VivariumError('MESSAGE_NOT_RECEIVED', {
    what: [`No further message came ${when}.`, '', ...renderFinding({ name, pattern, state, messages })].join('\n'),
    remedy: 'Compare it with what was published; or wait longer: `next({ within: 5000 })`.',
  })
}
