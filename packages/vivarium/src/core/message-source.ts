import type { Isolation } from './options.ts'

/** One message as a source hands it over: what came over a wire as `data`, a value of this process as `payload`. */
export interface ArrivedMessage {
  /** The channel, subject or name that it came on. */
  readonly topic: string
  /** A text, or its bytes: the inbox decodes it. */
  readonly data?: string | Uint8Array
  /** Taken as it is. */
  readonly payload?: unknown
  /** The message's own id, where it has one. */
  readonly id?: string
}

/** What a source may know of the sandbox that its inbox belongs to. */
export interface SourceSandbox {
  readonly title: string
  readonly isolation: Isolation
  /** Throws `CONFIG_INVALID` when the vivarium was opened without `postgres`. */
  readonly postgres: { readonly url: string }
  /** Throws `CONFIG_INVALID` when the vivarium was opened without `redis`. */
  readonly redis: { readonly url: string }
}

/** The inbox, as its source sees it. */
export interface MessageReceiver {
  readonly sandbox: SourceSandbox
  /** Hands a message over. Once the inbox is closed it is dropped. */
  deliver(message: ArrivedMessage): void
  /** Nothing more will come: the source has ended or, with an error, is broken. Whoever waits is told at once. */
  ended(error?: unknown): void
}

/**
 * Where an inbox gets its messages from. Any broker plugs in by this interface, through its own client.
 *
 * @example
 * ```ts
 * import { EventEmitter } from 'node:events'
 * import { type MessageSource, openInbox } from 'vivarium/pubsub'
 *
 * const broker = new EventEmitter()
 *
 * function fromBroker(subject: string): MessageSource {
 *   return {
 *     name: `broker subject ${subject}`,
 *     open: ({ deliver }) => {
 *       const listen = (text: string): void => deliver({ topic: subject, data: text })
 *       broker.on(subject, listen)
 *       return () => void broker.off(subject, listen)
 *     },
 *   }
 * }
 *
 * await using inbox = await openInbox(fromBroker('orders'))
 * ```
 */
export interface MessageSource {
  /** Names it in messages: `Redis channel notifications:1`. */
  readonly name: string
  /**
   * It hears only what is done in the sandbox that it is opened in: opened for a file, it would hear nothing of its tests.
   * @default false
   */
  readonly hearsOneSandbox?: boolean
  /** Subscribes. Resolves once the subscription stands, to what ends it again. */
  open(receiver: MessageReceiver): SourceEnd | Promise<SourceEnd>
}

/** Ends a subscription. */
export type SourceEnd = () => Promise<unknown> | void
