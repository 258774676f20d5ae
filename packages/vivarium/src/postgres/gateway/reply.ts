import type { MessageFields } from '../protocol/server-message.ts'

/**
 * What is awaited for one message that was sent to the server, in the order of sending. A `synthetic` reply awaits
 * nothing: its bytes are due when all before it is answered.
 */
export interface Reply {
  readonly until: 'parse' | 'bind' | 'describe' | 'execute' | 'close' | 'ready' | 'synthetic'
  /** The client sees the answer. */
  readonly visible: boolean
  /** What a synthetic reply says. */
  readonly bytes?: Buffer
  /** All before it is answered: the server is at this message now, or the synthetic bytes have been said. */
  onReached?(): void
  /** Whether rows that come just now are the client's; asked of visible replies only. */
  showsRows?(): boolean
  /** The server has something to say while it is at it; true when it is not for the client. */
  onNotice?(fields: MessageFields): boolean
  /** A row came (only asked where set). `start` is the body's. */
  onRow?(buffer: Buffer, start: number): void
  /** A statement completed with this tag; `undefined` for an empty query and a suspended portal. */
  onTag?(tag: string | undefined): ReplyVerdict
  /** The server refused; returns what the client is told instead, `undefined` to pass the server's words on. */
  onError?(fields: MessageFields): Buffer | undefined
  /** The server skipped the message: one before it in the same unit has failed. */
  onSkipped?(): void
  /** CopyInResponse: the server waits for the client's data now. */
  onCopyIn?(): void
  /** Awaits ReadyForQuery for a Query or FunctionCall: the server skips those too when something ahead has failed. */
  readonly isSkippable?: boolean
  /** ReadyForQuery with the real status; returns the status the client is shown, `undefined` to show nothing. */
  onReady?(status: string): 'I' | 'T' | 'E' | undefined
  /** After ReadyForQuery was passed on. */
  onFinished?(): void
}

/** Whether the client sees the server's message, and what it is told after it. */
export interface ReplyVerdict {
  readonly forward: boolean
  readonly after?: readonly Buffer[]
}

/** The verdicts that nothing is to be said about. */
export const passedOn: ReplyVerdict = { forward: true }
export const keptBack: ReplyVerdict = { forward: false }

/** Whom the answers go to. */
export interface ReplySink {
  /** Takes bytes in order; the buffer may be kept. */
  write(bytes: Buffer): void
  /** Answers of one burst are all written. */
  flush(): void
  /** A setting's value was reported; true when the client is to be told. */
  parameterStatus(name: string, value: string): boolean
}
