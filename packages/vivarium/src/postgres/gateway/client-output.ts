import type { Duplex } from 'node:stream'
import { FrameReader } from '../protocol/frame-reader.ts'
import { Backend } from '../protocol/message-types.ts'

/** What goes to a client: gathered, then written at once; or kept from it, where its connection is to be lost. */
export class ClientOutput {
  readonly #stream: Duplex
  #gathered: Buffer[] = []
  #muted: MutedOutput | undefined

  constructor(stream: Duplex) {
    this.#stream = stream
  }

  write(bytes: Buffer): void {
    this.#gathered.push(bytes)
  }

  /** Hands it to the client; false when that one is to be given time. */
  flush(): boolean {
    const gathered = this.#gathered
    if (gathered.length === 0) return true
    this.#gathered = []
    const bytes = gathered.length === 1 ? (gathered[0] as Buffer) : Buffer.concat(gathered)
    if (this.#muted === undefined) return this.#stream.write(bytes)
    for (const told of this.#muted.take(bytes)) this.#stream.write(told)
    this.#muted.settle()
    return true
  }

  /** From now on the client hears of the next `heard` units, and of nothing more; `done` is called when `unheard` others are answered. */
  mute(heard: number, unheard: number, done: () => void): void {
    this.flush()
    this.#muted = new MutedOutput(heard, unheard, done)
    this.#muted.settle()
  }

  unmute(): void {
    this.#muted = undefined
  }

  /** Nobody takes it any more. */
  drop(): void {
    this.#gathered = []
  }
}

/**
 * What reaches a client whose connection is to be lost: the answers to what it sent before, and then nothing but the
 * request for COPY data, without which it would not send what is to take effect.
 */
class MutedOutput {
  readonly #reader = new FrameReader()
  readonly #done: () => void
  #heard: number
  #unheard: number

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
