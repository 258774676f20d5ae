import type { Socket } from 'node:net'

/** What is copied together; longer pieces are handed over as they are. Bytes. */
const copiedPiece = 4096
const chunkSize = 16_384

/** What goes to the server on one connection: gathered, and handed to the socket at once. */
export class ServerOutput {
  readonly #socket: Socket
  /** Small pieces are copied here. What the socket was given is not written again. */
  #chunk: Buffer = Buffer.allocUnsafeSlow(chunkSize)
  #start = 0
  #end = 0
  /** What comes before the small pieces that were gathered last. */
  #queue: Buffer[] = []

  constructor(socket: Socket) {
    this.#socket = socket
  }

  get writable(): boolean {
    return !this.#socket.writableNeedDrain
  }

  onceDrained(callback: () => void): void {
    this.#socket.once('drain', callback)
  }

  /** Takes the bytes, or a part of them. Long ones are not copied, and have to stay as they are. */
  send(bytes: Buffer, start: number = 0, end: number = bytes.length): void {
    const length = end - start
    if (length > copiedPiece) {
      this.#seal()
      this.#queue.push(bytes.subarray(start, end))
      return
    }
    if (this.#end + length > chunkSize) {
      this.#seal()
      this.#chunk = Buffer.allocUnsafeSlow(chunkSize)
      this.#start = 0
      this.#end = 0
    }
    bytes.copy(this.#chunk, this.#end, start, end)
    this.#end += length
  }

  /** Hands what was gathered to the socket; one that has ended takes nothing any more. */
  flush(): void {
    this.#seal()
    const queue = this.#queue
    if (queue.length === 0) return
    this.#queue = []
    if (!this.#socket.writable) return
    if (queue.length === 1) {
      this.#socket.write(queue[0] as Buffer)
      return
    }
    this.#socket.cork()
    for (const bytes of queue) this.#socket.write(bytes)
    this.#socket.uncork()
  }

  #seal(): void {
    if (this.#start === this.#end) return
    this.#queue.push(this.#chunk.subarray(this.#start, this.#end))
    this.#start = this.#end
  }
}
