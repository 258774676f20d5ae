/** A message longer than this is refused, as the server does (`MaxAllocSize - 1`, PostgreSQL `memutils.h`). */
export const maxMessageLength: number = 0x3fffffff - 1

/** The bytes are not the protocol: a length that cannot be, an unknown start. */
export class ProtocolViolation extends Error {
  override readonly name: string = 'ProtocolViolation'
  /** SQLSTATE. */
  readonly code: string

  constructor(message: string, code = '08P01') {
    super(message)
    this.code = code
  }
}

/** @throws ProtocolViolation when a message's fields do not end where the message ends. */
export function expectEnd(position: number, end: number): void {
  if (position === end) return
  throw new ProtocolViolation(position > end ? 'insufficient data left in message' : 'invalid message format')
}

/**
 * Cuts a byte stream into typed messages (one type byte, a 32-bit length that counts itself, a body) without copying
 * more than once: a message that spans many chunks is put together when its last byte is here.
 *
 * After `next()` returned a type, the message lies in `buffer` from `start` (its type byte) up to `end`; messages that
 * came in one chunk lie side by side in one `buffer`.
 */
export class FrameReader {
  buffer: Buffer = Buffer.alloc(0)
  start = 0
  end = 0
  #position = 0
  #pieces: Buffer[] = []
  #have = 0
  #need = 0
  readonly #maxLength: number

  constructor(maxLength: number = maxMessageLength) {
    this.#maxLength = maxLength
  }

  push(chunk: Buffer): void {
    if (this.#need === 0) {
      this.buffer = chunk
      this.#position = 0
      return
    }
    this.#pieces.push(chunk)
    this.#have += chunk.length
    if (this.#have < this.#need) return
    this.buffer = this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces, this.#have)
    this.#position = 0
    this.#pieces = []
    this.#need = 0
  }

  /** The next whole message's type byte, or `0` when more bytes are needed. */
  next(): number {
    if (this.#need !== 0) return 0
    const position = this.#position
    const left = this.buffer.length - position
    if (left < 5) return this.#wait(5)
    const length = this.buffer.readInt32BE(position + 1)
    if (length < 4 || length > this.#maxLength) {
      throw new ProtocolViolation(
        `invalid message length ${length} in a message of type ${describeType(this.buffer[position] ?? 0)}`,
      )
    }
    if (left < length + 1) return this.#wait(length + 1)
    this.start = position
    this.end = position + length + 1
    this.#position = this.end
    return this.buffer[position] as number
  }

  #wait(need: number): number {
    const left = this.buffer.length - this.#position
    if (left === 0) {
      this.#need = 0
      this.buffer = emptyBuffer
      this.#position = 0
      return 0
    }
    this.#need = need
    this.#have = left
    this.#pieces = [this.#position === 0 ? this.buffer : this.buffer.subarray(this.#position)]
    return 0
  }
}

const emptyBuffer: Buffer = Buffer.alloc(0)

/** A message type for people: its letter, or its byte where it has none. */
export function describeType(type: number): string {
  return type > 0x20 && type < 0x7f ? `'${String.fromCharCode(type)}'` : `0x${type.toString(16).padStart(2, '0')}`
}
