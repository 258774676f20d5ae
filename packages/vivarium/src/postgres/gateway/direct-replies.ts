import { readCString } from '../protocol/backend.ts'
import { Backend } from '../protocol/message-types.ts'
import { readMessageFields } from '../protocol/server-message.ts'
import type { MessageFields } from '../protocol/server-message.ts'

/** What ends the answer to a message that was sent. */
export type AwaitedEnd =
  | 'parse'
  | 'bind'
  | 'describe'
  | 'execute'
  | 'close'
  | 'query'
  | 'functionCall'
  | 'sync'
  | 'copyEnd'

/** A message that was sent, and what is to be done with its answer. */
export interface Awaited {
  readonly until: AwaitedEnd
  /** Ours, unseen by the client: `answers` but not an error, or `all`. Absent: the client sees everything. */
  readonly hidden?: 'answers' | 'all'
  /** It is done: a statement with its command tag (`undefined` for an empty one, or rows that go on), others without. */
  onDone?(tag: string | undefined): void
  /** A statement of ours stands before the client's in the text: true where what is done is that one. */
  isOursDone?(): boolean
  onError?(fields: MessageFields): void
  /** What the client is told in place of an error; `undefined` for the server's own words. Asked before `onError`. */
  instead?(fields: MessageFields): Buffer | undefined
  /** The server skips it: a message before it in the unit has failed. */
  onSkipped?(): void
  /** ReadyForQuery came, with this status. */
  onReady?(status: string): void
}

/**
 * Knows which sent message the server answers just now. It only watches: nothing is held back or changed for it, and
 * what it does not expect passes.
 */
export class DirectReplies {
  #awaited: Awaited[] = []
  /** An error came, and no Sync has been sent since: the server skips what comes until then. */
  #isSkipping = false
  /** The server reads COPY data and has not been sent its end: it ignores a Sync there. */
  #isCopyingIn = false
  #instead: Buffer | undefined

  /** The client has sent nothing that is still to be answered; what is ours alone does not count. */
  get isQuiet(): boolean {
    return this.#awaited.every(({ hidden }) => hidden === 'all')
  }

  /** How many units of the client were sent whole and are still to be answered. */
  get unansweredUnits(): number {
    return this.#awaited.filter(({ until, hidden }) => hidden !== 'all' && isReadyAfterwards(until)).length
  }

  /** What the client is told in place of the message that was just taken. */
  takeInstead(): Buffer | undefined {
    const instead = this.#instead
    this.#instead = undefined
    return instead
  }

  get isEmpty(): boolean {
    return this.#awaited.length === 0
  }

  /** What the server says just now answers something of ours. */
  get isAnsweringOurs(): boolean {
    return this.#awaited[0]?.hidden === 'all'
  }

  get isCopyingIn(): boolean {
    return this.#isCopyingIn
  }

  /** Notes a message that is being sent. */
  await(awaited: Awaited): void {
    const { until } = awaited
    if (this.#isCopyingIn) {
      if (until === 'copyEnd') this.#isCopyingIn = false
      else if (until === 'sync') return
    }
    if (until === 'copyEnd' && this.#awaited.length === 0) return
    if (this.#isSkipping) {
      if (until !== 'sync') {
        awaited.onSkipped?.()
        return
      }
      this.#isSkipping = false
    }
    this.#awaited.push(awaited)
  }

  /** Takes one message of the server; returns whether the client is to see it. */
  take(type: number, buffer: Buffer, start: number, end: number): boolean {
    const head = this.#awaited[0]
    const isShown = head?.hidden === undefined
    switch (type) {
      case Backend.parseComplete:
        return this.#done(head, 'parse')
      case Backend.bindComplete:
        return this.#done(head, 'bind')
      case Backend.closeComplete:
        return this.#done(head, 'close')
      case Backend.rowDescription:
      case Backend.noData:
        return head?.until === 'describe' ? this.#done(head, 'describe') : isShown
      case Backend.commandComplete:
        return this.#statementDone(head, readCString(buffer, start + 5, end))
      case Backend.emptyQueryResponse:
      case Backend.portalSuspended:
        return this.#statementDone(head, undefined)
      case Backend.copyInResponse:
        this.#startCopyIn()
        return isShown
      case Backend.errorResponse:
        return this.#takeError(head, readMessageFields(buffer, start + 5, end))
      case Backend.readyForQuery:
        return this.#takeReady(String.fromCharCode(buffer[start + 5] as number))
      default:
        return isShown
    }
  }

  #done(head: Awaited | undefined, until: AwaitedEnd): boolean {
    if (head?.until !== until) return true
    this.#shift()
    head.onDone?.(undefined)
    return head.hidden === undefined
  }

  #statementDone(head: Awaited | undefined, tag: string | undefined): boolean {
    if (head?.until === 'execute') this.#shift()
    if (head?.isOursDone?.() === true) return false
    head?.onDone?.(tag)
    return head?.hidden === undefined
  }

  #takeError(head: Awaited | undefined, fields: MessageFields): boolean {
    const instead = head?.instead?.(fields)
    head?.onError?.(fields)
    // The end of the connection answers nothing.
    if (head === undefined || fields['V'] === 'FATAL' || fields['V'] === 'PANIC') return true
    this.#isCopyingIn = false
    if (!isReadyAfterwards(head.until)) {
      this.#awaited.shift()
      this.#skipToSync()
    }
    if (instead === undefined) return head.hidden !== 'all'
    this.#instead = instead
    return false
  }

  /** After an error the server skips everything up to the next Sync, a Query too (PostgreSQL docs, 54.2.3). */
  #skipToSync(): void {
    while (this.#awaited.length > 0 && this.#awaited[0]?.until !== 'sync') this.#awaited.shift()?.onSkipped?.()
    this.#isSkipping = this.#awaited.length === 0
  }

  #takeReady(status: string): boolean {
    const at = this.#awaited.findIndex(({ until }) => isReadyAfterwards(until))
    const ready = this.#awaited[at]
    this.#awaited.splice(0, at + 1)
    this.#passCopyEnds()
    ready?.onReady?.(status)
    return ready?.hidden === undefined
  }

  /** What was sent as COPY data up to its end holds no message: a Sync in it is ignored (copyfromparse.c, CopyGetData). */
  #startCopyIn(): void {
    const end = this.#awaited.findIndex(({ until }, index) => index > 0 && until === 'copyEnd')
    this.#isCopyingIn = end === -1
    this.#awaited = this.#awaited.filter(
      ({ until }, index) => index === 0 || until !== 'sync' || (end !== -1 && index > end),
    )
  }

  #shift(): void {
    this.#awaited.shift()
    this.#passCopyEnds()
  }

  #passCopyEnds(): void {
    while (this.#awaited[0]?.until === 'copyEnd') this.#awaited.shift()
  }
}

/** The server is ready for the next unit when it has answered this. */
function isReadyAfterwards(until: AwaitedEnd): boolean {
  return until === 'sync' || until === 'query' || until === 'functionCall'
}
