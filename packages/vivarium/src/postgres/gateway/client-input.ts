import { FrameReader } from '../protocol/frame-reader.ts'
import type { Frame } from './extended-protocol.ts'

/** What a client has sent and is not taken yet. */
export class ClientInput {
  readonly #reader = new FrameReader()
  #waiting: Buffer[] = []
  #length = 0

  /** Bytes that nobody has looked at. */
  get length(): number {
    return this.#length
  }

  push(chunk: Buffer): void {
    this.#waiting.push(chunk)
    this.#length += chunk.length
  }

  /** The next whole message's type, or `0` when more bytes are needed. */
  next(): number {
    for (;;) {
      const type = this.#reader.next()
      if (type !== 0) return type
      const chunk = this.#waiting.shift()
      if (chunk === undefined) return 0
      this.#length -= chunk.length
      this.#reader.push(chunk)
    }
  }

  /** The message whose type `next` has returned. */
  frame(type: number): Frame {
    const { buffer, start, end } = this.#reader
    return { type, buffer, start, end }
  }

  drop(): void {
    this.#waiting = []
  }
}
