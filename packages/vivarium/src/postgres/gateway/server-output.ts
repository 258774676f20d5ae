import type { Socket } from 'node:net'

/** Small pieces are cheaper copied together than written one by one. Bytes. */
const copiedTogether = 65_536

/** What goes to the server on one connection: gathered, and handed to the socket at once. */
export class ServerOutput {
  readonly #socket: Socket
  #queue: Buffer[] = []
  #length = 0

  constructor(socket: Socket) {
    this.#socket = socket
  }

  get writable(): boolean {
    return !this.#socket.writableNeedDrain
  }

  onceDrained(callback: () => void): void {
    this.#socket.once('drain', callback)
  }

  send(bytes: Buffer): void {
    this.#queue.push(bytes)
    this.#length += bytes.length
  }

  /** Hands what was gathered to the socket; one that has ended takes nothing any more. */
  flush(): void {
    const queue = this.#queue
    if (queue.length === 0) return
    const length = this.#length
    this.#queue = []
    this.#length = 0
    if (!this.#socket.writable) return
    if (queue.length === 1) this.#socket.write(queue[0] as Buffer)
    else if (length <= copiedTogether) this.#socket.write(Buffer.concat(queue, length))
    else {
      this.#socket.cork()
      for (const bytes of queue) this.#socket.write(bytes)
      this.#socket.uncork()
    }
  }
}
