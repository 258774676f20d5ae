import { splitInline } from './inline.ts'
import { readInteger, RedisProtocolError } from './protocol-error.ts'
import { RawRequest } from './raw-request.ts'

/** A command as a client sent it: its name and its arguments. */
export type Request = readonly Buffer[]

// A server's own limits: client-query-buffer lines of 64 KB, a million arguments, proto-max-bulk-len.
const longestLine = 64 * 1024
const mostArguments = 1024 * 1024
const longestArgument = 512 * 1024 * 1024

/** Memory is taken for an argument of this length before it has come. */
const longestTrusted = 16 * 1024 * 1024

const carriageReturn = 13
const lineFeed = 10
const asterisk = 42
const dollar = 36
const zero = 48
const nine = 57

/** Bytes of a command that has not come whole. */
interface Gathered {
  /** As many as `filled` are there. */
  bytes: Buffer
  filled: number
  /** How many there must be before looking again is of use. */
  needed: number
}

/**
 * Reads a client's bytes: arrays of bulk strings, and lines as a person types them. What has come whole is read where it lies; of the
 * rest, whatever the chunks are, each byte is put to its place once, or twice where a command is longer than it looked.
 */
export class RequestParser {
  #state: 'command' | 'argument' | 'failed' = 'command'
  readonly #request: RawRequest = new RawRequest()
  #gathered: Gathered | undefined
  /** Where to read on in what is gathered. */
  #at = 0
  #awaited = 0
  /** How many bytes there must be before looking again is of use. */
  #needed = 0

  /**
   * Calls `onRequest` with each command that is complete now, which is good until it returns. Throws {@link RedisProtocolError}, and then
   * for ever.
   */
  push(chunk: Buffer, onRequest: (request: RawRequest) => void): void {
    if (this.#state === 'failed') throw new RedisProtocolError('Protocol error: nothing follows an error')
    const bytes = this.#gather(chunk)
    if (bytes === undefined) return
    try {
      while (this.#at < bytes.length && this.#step(bytes, onRequest)) continue
    } catch (error) {
      this.#state = 'failed'
      throw error
    }
    this.#keep(bytes)
  }

  /** The bytes to look at; `undefined` when more are needed. */
  #gather(chunk: Buffer): Buffer | undefined {
    const gathered = this.#gathered
    if (gathered === undefined) {
      this.#at = 0
      return chunk
    }
    const filled = gathered.filled + chunk.length
    if (filled > gathered.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * gathered.bytes.length, filled))
      larger.set(gathered.bytes.subarray(0, gathered.filled))
      gathered.bytes = larger
    }
    gathered.bytes.set(chunk, gathered.filled)
    gathered.filled = filled
    return filled < gathered.needed ? undefined : gathered.bytes.subarray(0, filled)
  }

  /** Keeps what has begun and is not complete, from the command's first byte on. */
  #keep(bytes: Buffer): void {
    const from = this.#state === 'argument' ? this.#request.begin : this.#at
    if (from === bytes.length) {
      this.#gathered = undefined
      return
    }
    if (this.#gathered !== undefined && from === 0) {
      this.#gathered.needed = this.#needed
      return
    }
    const filled = bytes.length - from
    // Not more than a little on trust: what an argument says of its length need not come.
    const kept = Buffer.allocUnsafe(Math.max(Math.min(this.#needed - from, longestTrusted), 2 * filled))
    kept.set(bytes.subarray(from))
    this.#gathered = { bytes: kept, filled, needed: this.#needed - from }
    this.#at -= from
    if (this.#state !== 'argument') return
    const { begins, ends, count } = this.#request
    this.#request.begin = 0
    for (let index = 0; index < count; index++) {
      begins[index]! -= from
      ends[index]! -= from
    }
  }

  /** One line or one argument; `false` when more bytes are needed. */
  #step(bytes: Buffer, onRequest: (request: RawRequest) => void): boolean {
    this.#needed = bytes.length + 1
    if (this.#state === 'argument') return this.#readArgument(bytes, onRequest)
    return bytes[this.#at] === asterisk ? this.#readCount(bytes) : this.#readInline(bytes, onRequest)
  }

  #readCount(bytes: Buffer): boolean {
    const end = this.#endOfLine(bytes, 'too big mbulk count string')
    if (end < 0) return false
    const count = numberIn(bytes, this.#at + 1, end)
    if (count === undefined || count > mostArguments) {
      throw new RedisProtocolError('Protocol error: invalid multibulk length')
    }
    if (count > 0) {
      this.#state = 'argument'
      this.#awaited = count
      this.#request.begin = this.#at
      this.#request.count = 0
    }
    this.#at = end + 2
    return true
  }

  #readArgument(bytes: Buffer, onRequest: (request: RawRequest) => void): boolean {
    const end = this.#endOfLine(bytes, 'too big bulk count string')
    if (end < 0) return false
    if (bytes[this.#at] !== dollar) {
      throw new RedisProtocolError(
        `Protocol error: expected '$', got '${bytes.toString('latin1', this.#at, this.#at + 1)}'`,
      )
    }
    const length = numberIn(bytes, this.#at + 1, end)
    if (length === undefined || length < 0 || length > longestArgument) {
      throw new RedisProtocolError('Protocol error: invalid bulk length')
    }
    const begin = end + 2
    const next = begin + length + 2
    if (bytes.length < next) {
      this.#needed = next
      return false
    }
    const request = this.#request
    request.begins[request.count] = begin
    request.ends[request.count] = begin + length
    request.count++
    this.#at = next
    if (request.count === this.#awaited) {
      this.#state = 'command'
      request.bytes = bytes
      request.end = next
      onRequest(request)
    }
    return true
  }

  #readInline(bytes: Buffer, onRequest: (request: RawRequest) => void): boolean {
    const at = this.#at
    const end = bytes.indexOf(lineFeed, at)
    if ((end < 0 ? bytes.length : end) - at > longestLine) {
      throw new RedisProtocolError('Protocol error: too big inline request')
    }
    if (end < 0) return false
    const words = splitInline(bytes.subarray(at, end > at && bytes[end - 1] === carriageReturn ? end - 1 : end))
    if (words === undefined) throw new RedisProtocolError('Protocol error: unbalanced quotes in request')
    this.#at = end + 1
    if (words.length > 0) {
      this.#request.set(words)
      onRequest(this.#request)
    }
    return true
  }

  /** Where the line's `\r\n` is; negative when it has not come. */
  #endOfLine(bytes: Buffer, tooLong: string): number {
    const at = this.#at
    // What nearly all are: a kind and a digit or two.
    for (let end = at + 2; end < at + 5; end++) {
      if (bytes[end] === carriageReturn) return end + 1 < bytes.length ? end : -1
    }
    const end = bytes.indexOf(carriageReturn, at)
    if ((end < 0 ? bytes.length : end) - at > longestLine) throw new RedisProtocolError(`Protocol error: ${tooLong}`)
    return end < 0 || end + 1 >= bytes.length ? -1 : end
  }
}

function numberIn(bytes: Buffer, from: number, to: number): number | undefined {
  if (to - from === 1) {
    const digit = bytes[from]!
    return digit >= zero && digit <= nine ? digit - zero : undefined
  }
  return readInteger(bytes.toString('latin1', from, to))
}
