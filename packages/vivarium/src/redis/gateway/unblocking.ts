import type { Pending } from './pending.ts'
import type { Replies } from './replies.ts'

/** Tells the server to end what waits there; whether it was waiting. */
type Unblock = () => Promise<boolean>

/**
 * Ends what a client waits for at the server (`BLPOP`, `XREAD BLOCK`, …) when its sandbox is left: as after a time-out, nothing came.
 *
 * Another connection tells the server, and may overtake: then the server has not begun with the command, says that nothing waits, and is
 * asked again. One command is ended at a time, the oldest, and nothing more is sent for the client until all are: so that what the
 * server ends is what was meant, and no command behind it.
 */
export class Unblocking {
  readonly #replies: Replies
  readonly #unblock: Unblock
  #state: 'idle' | 'waiting for its turn' | 'asking' = 'idle'
  readonly #meant: Set<Pending> = new Set()
  #ended: Promise<void> | undefined
  #resolve: () => void = () => undefined

  constructor(replies: Replies, unblock: Unblock) {
    this.#replies = replies
    this.#unblock = unblock
  }

  /** Resolves when all that was meant has ended; `undefined` when nothing is. */
  get ended(): Promise<void> | undefined {
    return this.#ended
  }

  /** Ends everything that may wait and that `isMeant` picks. */
  begin(isMeant: (pending: Pending) => boolean): Promise<void> | undefined {
    for (const pending of this.#replies.pending())
      if (pending.blocks === true && isMeant(pending)) this.#meant.add(pending)
    if (this.#meant.size > 0 && this.#state === 'idle') {
      this.#ended = new Promise((resolve) => {
        this.#resolve = resolve
      })
      this.#state = 'waiting for its turn'
      this.#next()
    }
    return this.#ended
  }

  /** The reply to it is complete, or never comes. */
  done(pending: Pending): void {
    if (this.#state === 'idle') return
    this.#meant.delete(pending)
    if (this.#state === 'waiting for its turn') this.#next()
  }

  #next(): void {
    const { head } = this.#replies
    if (this.#meant.size === 0) {
      this.#state = 'idle'
      this.#ended = undefined
      this.#resolve()
    } else if (head !== undefined && this.#meant.has(head)) {
      this.#state = 'asking'
      this.#unblock().then(
        (hasWaited) => this.#answered(head, hasWaited),
        // It cannot be told: whoever waits for the end has a deadline.
        () => this.#answered(head, true),
      )
    }
  }

  #answered(asked: Pending, hasWaited: boolean): void {
    this.#state = 'waiting for its turn'
    // Its reply is on its way; or the server had not begun with it, or had already ended.
    if (!hasWaited || this.#replies.head !== asked) this.#next()
  }
}
