import { FrameReader } from '../protocol/frame-reader.ts'
import { Backend } from '../protocol/message-types.ts'

/**
 * What reaches a client whose connection is to be lost: the answers to what it sent before, and then nothing but the
 * request for COPY data, without which it would not send what is to take effect.
 */
export class MutedOutput {
  readonly #reader = new FrameReader()
  readonly #done: () => void
  #heard: number
  #unheard: number

  /** `heard` units are still to be answered to the client, `unheard` ones behind them not; then `done` is called. */
  constructor(heard: number, unheard: number, done: () => void) {
    this.#heard = heard
    this.#unheard = unheard
    this.#done = done
  }

  /** Takes what the client would be told, and returns what it is told. */
  take(bytes: Buffer): readonly Buffer[] {
    const told: Buffer[] = []
    const reader = this.#reader
    reader.push(bytes)
    for (let type = reader.next(); type !== 0; type = reader.next()) {
      if (this.#heard > 0 || type === Backend.copyInResponse)
        told.push(reader.buffer.subarray(reader.start, reader.end))
      if (type !== Backend.readyForQuery) continue
      if (this.#heard > 0) this.#heard--
      else this.#unheard--
    }
    return told
  }

  /** To be called when what `take` returned is written. */
  settle(): void {
    if (this.#heard === 0 && this.#unheard === 0) this.#done()
  }
}
