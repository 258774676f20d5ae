import { splitInline } from './inline.ts'
import { readInteger, RedisProtocolError } from './protocol-error.ts'

/** A command as a client sent it: its name and its arguments. */
export type Request = readonly Buffer[]

// A server's own limits: client-query-buffer lines of 64 KB, a million arguments, proto-max-bulk-len.
const longestLine = 64 * 1024
const mostArguments = 1024 * 1024
const longestArgument = 512 * 1024 * 1024

const carriageReturn = 13
const lineFeed = 10
const asterisk = 42
const dollar = 36

const nothing: Buffer = Buffer.alloc(0)

/**
 * Reads a client's bytes: arrays of bulk strings, and lines as a person types them. Whatever the chunks are, an argument is held once;
 * nothing more than one command is.
 */
export class RequestParser {
  #state: 'command' | 'argument' | 'failed' = 'command'
  #chunks: Buffer[] = []
  #gathered = 0
  /** Bytes without which looking again is in vain. */
  #needed = 1
  #arguments: Buffer[] = []
  #awaited = 0

  /** Calls `onRequest` with each command that is complete now. Throws {@link RedisProtocolError}, and then for ever. */
  push(chunk: Buffer, onRequest: (request: Request) => void): void {
    if (this.#state === 'failed') throw new RedisProtocolError('Protocol error: nothing follows an error')
    this.#chunks.push(chunk)
    this.#gathered += chunk.length
    if (this.#gathered < this.#needed) return
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks)
    let at = 0
    try {
      for (let next = this.#step(bytes, at, onRequest); next !== undefined; next = this.#step(bytes, at, onRequest)) {
        at = next
      }
    } catch (error) {
      this.#state = 'failed'
      throw error
    }
    const rest = at === bytes.length ? nothing : bytes.subarray(at)
    this.#chunks = rest.length === 0 ? [] : [rest]
    this.#gathered = rest.length
  }

  /** One line or one argument; returns where the next one begins, `undefined` when more bytes are needed. */
  #step(bytes: Buffer, at: number, onRequest: (request: Request) => void): number | undefined {
    this.#needed = 1
    if (at >= bytes.length) return undefined
    if (this.#state === 'argument') return this.#readArgument(bytes, at, onRequest)
    if (bytes[at] === asterisk) return this.#readCount(bytes, at)
    return this.#readInline(bytes, at, onRequest)
  }

  #readCount(bytes: Buffer, at: number): number | undefined {
    const end = this.#endOfLine(bytes, at, 'too big mbulk count string')
    if (end === undefined) return undefined
    const count = readInteger(bytes.toString('latin1', at + 1, end))
    if (count === undefined || count > mostArguments) {
      throw new RedisProtocolError('Protocol error: invalid multibulk length')
    }
    if (count > 0) {
      this.#state = 'argument'
      this.#awaited = count
      this.#arguments = []
    }
    return end + 2
  }

  #readArgument(bytes: Buffer, at: number, onRequest: (request: Request) => void): number | undefined {
    const end = this.#endOfLine(bytes, at, 'too big bulk count string')
    if (end === undefined) return undefined
    if (bytes[at] !== dollar) {
      throw new RedisProtocolError(`Protocol error: expected '$', got '${bytes.toString('latin1', at, at + 1)}'`)
    }
    const length = readInteger(bytes.toString('latin1', at + 1, end))
    if (length === undefined || length < 0 || length > longestArgument) {
      throw new RedisProtocolError('Protocol error: invalid bulk length')
    }
    const start = end + 2
    if (bytes.length < start + length + 2) {
      this.#needed = start - at + length + 2
      return undefined
    }
    this.#arguments.push(bytes.subarray(start, start + length))
    if (this.#arguments.length === this.#awaited) {
      this.#state = 'command'
      const request = this.#arguments
      this.#arguments = []
      onRequest(request)
    }
    return start + length + 2
  }

  #readInline(bytes: Buffer, at: number, onRequest: (request: Request) => void): number | undefined {
    const end = bytes.indexOf(lineFeed, at)
    if ((end < 0 ? bytes.length : end) - at > longestLine) {
      throw new RedisProtocolError('Protocol error: too big inline request')
    }
    if (end < 0) return undefined
    const request = splitInline(bytes.subarray(at, end > at && bytes[end - 1] === carriageReturn ? end - 1 : end))
    if (request === undefined) throw new RedisProtocolError('Protocol error: unbalanced quotes in request')
    if (request.length > 0) onRequest(request)
    return end + 1
  }

  #endOfLine(bytes: Buffer, at: number, tooLong: string): number | undefined {
    const end = bytes.indexOf(carriageReturn, at)
    if ((end < 0 ? bytes.length : end) - at > longestLine) throw new RedisProtocolError(`Protocol error: ${tooLong}`)
    return end < 0 || end + 1 >= bytes.length ? undefined : end
  }
}
