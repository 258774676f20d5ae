import type { RawRequest } from './raw-request.ts'

const dollar = 36
const carriageReturn = 13
const lineFeed = 10
const zero = 48

const smallestSlab = 4 * 1024
const largestSlab = 64 * 1024
/** What is longer is sent from where it lies. */
const longestCopied = 16 * 1024
/** Up to here a loop is faster than what the runtime has for it. */
const shortest = 48

/** Notes keys. */
export interface KeyLog {
  /** The key is what stands in `bytes`, behind the prefix. */
  wrote(prefix: Buffer, bytes: Buffer, begin: number, end: number): void
}

/** Gathers what is sent to the server, in pieces of a few large buffers. What was taken is never written to again. */
export class RequestWriter {
  #slab: Buffer = Buffer.alloc(0)
  #from = 0
  #at = 0
  #pieces: Buffer[] = []

  get isEmpty(): boolean {
    return this.#at === this.#from && this.#pieces.length === 0
  }

  write(bytes: Buffer): void {
    this.#copy(bytes, 0, bytes.length)
  }

  /**
   * A command with `prefix` before the arguments at `places`, which ascend. `log` is told of each as it is written, when there is one.
   */
  writeWithPrefix(request: RawRequest, places: readonly number[], prefix: Buffer, log: KeyLog | undefined): void {
    const { bytes, begins, ends } = request
    let from = request.begin
    for (let index = 0; index < places.length; index++) {
      const place = places[index]!
      const begin = begins[place]!
      const end = ends[place]!
      // Behind the argument before it, and its line end.
      this.#copy(bytes, from, ends[place - 1]! + 2)
      const length = prefix.length + end - begin
      this.#reserve(length <= longestCopied ? length + 24 : prefix.length + 24)
      this.#length(length)
      this.#slab.set(prefix, this.#at)
      this.#at += prefix.length
      log?.wrote(prefix, bytes, begin, end)
      from = begin
    }
    this.#copy(bytes, from, request.end)
  }

  /** All of it; the next begins anew. */
  take(): readonly Buffer[] {
    this.#cut()
    const pieces = this.#pieces
    this.#pieces = []
    return pieces
  }

  #length(length: number): void {
    const slab = this.#slab
    slab[this.#at++] = dollar
    let digits = 1
    for (let rest = length; rest >= 10; rest = Math.floor(rest / 10)) digits++
    let rest = length
    for (let place = this.#at + digits - 1; place >= this.#at; place--) {
      slab[place] = zero + (rest % 10)
      rest = Math.floor(rest / 10)
    }
    this.#at += digits
    slab[this.#at++] = carriageReturn
    slab[this.#at++] = lineFeed
  }

  #copy(bytes: Buffer, from: number, to: number): void {
    const length = to - from
    if (length > longestCopied) {
      this.#cut()
      this.#pieces.push(bytes.subarray(from, to))
      return
    }
    this.#reserve(length)
    const slab = this.#slab
    let at = this.#at
    if (length <= shortest) for (let index = from; index < to; index++) slab[at++] = bytes[index]!
    else slab.set(bytes.subarray(from, to), at)
    this.#at += length
  }

  #reserve(length: number): void {
    if (this.#at + length <= this.#slab.length) return
    this.#cut()
    const size = Math.min(largestSlab, Math.max(smallestSlab, 2 * this.#slab.length, length))
    this.#slab = Buffer.allocUnsafeSlow(size)
    this.#from = 0
    this.#at = 0
  }

  /** What was written becomes a piece of its own. */
  #cut(): void {
    if (this.#at > this.#from) this.#pieces.push(this.#slab.subarray(this.#from, this.#at))
    this.#from = this.#at
  }
}
