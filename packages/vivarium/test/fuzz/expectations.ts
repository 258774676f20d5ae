import type { Answer } from '../support/wire.ts'
import type { Message } from './messages.ts'

interface Expected {
  /** `whole`: answered by ReadyForQuery. `sync`: the same, and an error's skipping ends here. */
  readonly kind: 'extended' | 'whole' | 'sync'
  /** Types of the messages that end its answer. */
  readonly ends: string
}

/** Where a client's connection stands, as far as the client can know. */
export interface Standing {
  readonly status: 'I' | 'T' | 'E'
  readonly unitOpen: boolean
  readonly skipping: boolean
  readonly copying: boolean
  /** A whole unit before this message is not answered yet. */
  readonly behind: boolean
}

/**
 * What one client still has to hear, kept from the messages it sends and the answers it gets: whoever waits knows when
 * all that is owed has come, also after a Flush and after an error. Written from the protocol's documentation.
 */
export class Expectations {
  #queue: Expected[] = []
  /** How many of the queue, from its head, a Flush, Sync or Query has asked for. */
  #due = 0
  #skipping = false
  #unitOpen = false
  #copying = false
  #status: 'I' | 'T' | 'E' = 'I'

  get standing(): Standing {
    return {
      status: this.#status,
      unitOpen: this.#unitOpen,
      skipping: this.#skipping,
      copying: this.#copying,
      behind: this.#queue.some(({ kind }) => kind !== 'extended'),
    }
  }

  /** Nothing that was asked for is owed any more, or the server waits for COPY data. */
  get isMet(): boolean {
    return this.#copying || this.#due <= 0
  }

  /** Neither a transaction nor a unit is open: the connection holds nothing. */
  get isIdle(): boolean {
    return this.#status === 'I' && !this.#unitOpen && !this.#copying && this.#queue.length === 0
  }

  sent(message: Message): void {
    switch (message.kind) {
      case 'copyDone':
      case 'copyFail':
        this.#copying = false
        return
      case 'copyData':
      case 'terminate':
        return
      case 'flush':
        if (!this.#copying) this.#due = this.#queue.length
        return
      case 'sync':
        if (this.#copying) return
        this.#skipping = false
        this.#unitOpen = false
        this.#expect('sync', 'Z')
        this.#due = this.#queue.length
        return
      case 'query':
      case 'functionCall':
        // In the middle of COPY data it ends the connection, which ends every wait.
        if (this.#copying) this.#copying = false
        if (this.#skipping) return
        this.#unitOpen = false
        this.#expect('whole', 'Z')
        this.#due = this.#queue.length
        return
      default:
        this.#unitOpen = true
        if (!this.#skipping) this.#expect('extended', endsOf[message.kind])
    }
  }

  received(answer: Answer): void {
    const head = this.#queue[0]
    switch (answer.code) {
      case 'N':
      case 'S':
      case 'A':
        return
      case 'Z':
        this.#status = answer.fields['status'] as 'I' | 'T' | 'E'
        this.#drop(this.#queue.findIndex(({ kind }) => kind !== 'extended') + 1)
        return
      case 'E':
        this.#copying = false
        if (head?.kind === 'extended') this.#skipToSync()
        return
      case 'G':
        this.#copying = true
        // What is read during COPY FROM STDIN is ignored when it is a Sync.
        this.#queue = this.#queue.filter((expected, index) => index === 0 || expected.kind !== 'sync')
        this.#due = this.#queue.length
        if (head?.kind === 'extended') this.#unitOpen = true
        return
      default:
        if (head?.ends.includes(answer.code) === true) this.#drop(1)
    }
  }

  #expect(kind: Expected['kind'], ends: string): void {
    this.#queue.push({ kind, ends })
  }

  #skipToSync(): void {
    const sync = this.#queue.findIndex(({ kind }) => kind === 'sync')
    if (sync === -1) {
      this.#skipping = true
      // A Query that was sent behind it is skipped, too.
      this.#unitOpen = true
    }
    this.#drop(sync === -1 ? this.#queue.length : sync)
  }

  #drop(count: number): void {
    this.#queue.splice(0, count)
    this.#due = Math.max(0, this.#due - count)
  }
}

const endsOf: Record<'parse' | 'bind' | 'describe' | 'execute' | 'close', string> = {
  parse: '1',
  bind: '2',
  describe: 'Tn',
  execute: 'CIs',
  close: '3',
}
