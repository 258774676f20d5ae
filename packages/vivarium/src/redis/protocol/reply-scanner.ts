import { readInteger, RedisProtocolError } from './protocol-error.ts'

/** The kind of value, the first byte of its line. */
export type ReplyType = '+' | '-' | ':' | '$' | '*' | '_' | '#' | ',' | '(' | '!' | '=' | '%' | '~' | '>' | '|'

const types: readonly ReplyType[] = ['+', '-', ':', '$', '*', '_', '#', ',', '(', '!', '=', '%', '~', '>', '|']

/** By the first byte of a line. */
const typeOf: readonly (ReplyType | undefined)[] = Array.from({ length: 256 }, (_, byte) =>
  types.find((type) => type.charCodeAt(0) === byte),
)

/** Of which the line is all there is. */
const lines = '+-_#,('

const carriageReturn = 13
const lineFeed = 10
const minus = 45
const zero = 48
const nine = 57
// A length is at most 16 digits; of other lines nothing is kept.
const keptOfLine = 32
const largest = 2 ** 40

/**
 * Finds where a server's replies end without holding them: whatever a reply's size, what is kept of it are a few numbers. RESP2
 * and RESP3, attributes too; streamed strings and aggregates, which no server sends, are refused.
 */
export class ReplyScanner {
  /** The first line of the reply: its kind, and its number where it has one (`$5`, `*0`, `:12`). */
  type: ReplyType | undefined
  number: number | undefined
  #left = 0
  #skip = 0
  #line = ''

  /** Whether the last reply is complete; the next `scan` begins another one. */
  get isBetween(): boolean {
    return this.#left === 0
  }

  /** Reads on from `from`, at most to the end of one reply, and returns where it stopped. Throws {@link RedisProtocolError}. */
  scan(chunk: Buffer, from: number): number {
    if (this.#left === 0) {
      this.#left = 1
      this.type = undefined
      this.number = undefined
    }
    let at = from
    while (this.#left > 0 && at < chunk.length) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, chunk.length - at)
        this.#skip -= skipped
        at += skipped
        if (this.#skip === 0) this.#left--
        continue
      }
      at = this.#line === '' ? this.#readLine(chunk, at) : this.#readOn(chunk, at)
    }
    return at
  }

  /** A line that begins in this chunk. Most are short and end in it: they are read where they lie. */
  #readLine(chunk: Buffer, from: number): number {
    const type = typeOf[chunk[from]!]
    if (type !== undefined && lines.includes(type)) {
      const end = chunk.indexOf(lineFeed, from)
      if (end < 0) return this.#readOn(chunk, from)
      this.#take(type, undefined, chunk, from)
      return end + 1
    }
    let at = from + 1
    let number = 0
    const isNegative = chunk[at] === minus
    if (isNegative) at++
    const first = at
    for (let digit = chunk[at]!; digit >= zero && digit <= nine; digit = chunk[++at]!)
      number = number * 10 + digit - zero
    const digits = at - first
    const isWhole = chunk[at] === carriageReturn && chunk[at + 1] === lineFeed && digits > 0 && digits < 16
    // `-0` and leading zeros are no numbers.
    if (!isWhole || (chunk[first] === zero && (digits > 1 || isNegative))) return this.#readOn(chunk, from)
    this.#take(type, isNegative ? -number : number, chunk, from)
    return at + 2
  }

  /** Any line, and what goes on with a chunk before it. */
  #readOn(chunk: Buffer, from: number): number {
    const end = chunk.indexOf(lineFeed, from)
    const stop = end < 0 ? chunk.length : end
    this.#line += chunk.toString('latin1', from, Math.min(stop, from + keptOfLine - this.#line.length))
    if (end < 0) return chunk.length
    const line = this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line
    this.#line = ''
    const type = typeOf[line.charCodeAt(0)]
    const number = type === undefined || lines.includes(type) ? undefined : readInteger(line.slice(1))
    this.#take(type, number, line, 0)
    return end + 1
  }

  /** `source` has the line at `from`, for an error. */
  #take(type: ReplyType | undefined, number: number | undefined, source: Buffer | string, from: number): void {
    if (type === undefined) throw new RedisProtocolError(`no reply begins with '${show(source, from, 1)}'`)
    if (this.type === undefined) {
      this.type = type
      this.number = number
    }
    switch (type) {
      case '$':
      case '!':
      case '=':
        if (sizeOf(number, source, from) < 0) this.#left--
        else this.#skip = number! + 2
        return
      case '*':
      case '~':
      case '>':
        this.#left += Math.max(0, sizeOf(number, source, from)) - 1
        return
      case '%':
        this.#left += 2 * Math.max(0, sizeOf(number, source, from)) - 1
        return
      case '|':
        // It comes before the value that it says something of.
        this.#left += 2 * Math.max(0, sizeOf(number, source, from))
        return
      case '+':
      case '-':
      case ':':
      case '_':
      case '#':
      case ',':
      case '(':
        this.#left--
    }
  }
}

function sizeOf(number: number | undefined, source: Buffer | string, from: number): number {
  if (number !== undefined && number >= -1 && number < largest) return number
  throw new RedisProtocolError(`'${show(source, from, keptOfLine)}' is no length`)
}

function show(source: Buffer | string, from: number, length: number): string {
  const text = typeof source === 'string' ? source : source.toString('latin1', from, from + length)
  return text.slice(0, length).split('\r')[0]!
}
