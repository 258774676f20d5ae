/** Builds one or several messages into one buffer. Grows by doubling; `take` hands the bytes out and starts anew. */
export class MessageWriter {
  #buffer: Buffer
  #length = 0
  #messageStart = 0

  constructor(size = 256) {
    this.#buffer = Buffer.allocUnsafe(size)
  }

  get length(): number {
    return this.#length
  }

  /** Begins a message of a type; `0` for the untyped ones of the start-up phase. */
  begin(type: number): this {
    this.#reserve(5)
    if (type !== 0) this.#buffer[this.#length++] = type
    this.#messageStart = this.#length
    this.#length += 4
    return this
  }

  end(): this {
    this.#buffer.writeInt32BE(this.#length - this.#messageStart, this.#messageStart)
    return this
  }

  byte(value: number): this {
    this.#reserve(1)
    this.#buffer[this.#length++] = value
    return this
  }

  int16(value: number): this {
    this.#reserve(2)
    this.#length = this.#buffer.writeUInt16BE(value & 0xffff, this.#length)
    return this
  }

  int32(value: number): this {
    this.#reserve(4)
    this.#length = this.#buffer.writeInt32BE(value | 0, this.#length)
    return this
  }

  /** Text and its terminating zero. */
  cstring(text: string): this {
    this.text(text)
    return this.byte(0)
  }

  text(text: string): this {
    this.#reserve(text.length * 3)
    this.#length += this.#buffer.write(text, this.#length, 'utf8')
    return this
  }

  bytes(bytes: Uint8Array): this {
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#length)
    this.#length += bytes.length
    return this
  }

  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#length)
    this.#buffer = Buffer.allocUnsafe(256)
    this.#length = 0
    return taken
  }

  #reserve(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.copy(grown, 0, 0, this.#length)
    this.#buffer = grown
  }
}
