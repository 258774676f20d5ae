import { readInteger, RedisProtocolError } from './protocol-error.ts'

/** The kind of value, the first byte of its line. */
export type ReplyType = '+' | '-' | ':' | '$' | '*' | '_' | '#' | ',' | '(' | '!' | '=' | '%' | '~' | '>' | '|'

const types: ReadonlySet<string> = new Set<ReplyType>([
  '+',
  '-',
  ':',
  '$',
  '*',
  '_',
  '#',
  ',',
  '(',
  '!',
  '=',
  '%',
  '~',
  '>',
  '|',
])

const lineFeed = 10
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
      const end = chunk.indexOf(lineFeed, at)
      const stop = end < 0 ? chunk.length : end
      this.#line += chunk.toString('latin1', at, Math.min(stop, at + keptOfLine - this.#line.length))
      if (end < 0) return chunk.length
      at = end + 1
      const line = this.#line
      this.#line = ''
      this.#take(line.endsWith('\r') ? line.slice(0, -1) : line)
    }
    return at
  }

  #take(line: string): void {
    const type = line[0] as ReplyType | undefined
    if (type === undefined || !types.has(type))
      throw new RedisProtocolError(`no reply begins with '${line.slice(0, 1)}'`)
    const number = readInteger(line.slice(1))
    if (this.type === undefined) {
      this.type = type
      this.number = number
    }
    switch (type) {
      case '$':
      case '!':
      case '=':
        if (sizeOf(line, number) < 0) this.#left--
        else this.#skip = number! + 2
        return
      case '*':
      case '~':
      case '>':
        this.#left += Math.max(0, sizeOf(line, number)) - 1
        return
      case '%':
        this.#left += 2 * Math.max(0, sizeOf(line, number)) - 1
        return
      case '|':
        // It comes before the value that it says something of.
        this.#left += 2 * Math.max(0, sizeOf(line, number))
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

function sizeOf(line: string, number: number | undefined): number {
  if (number !== undefined && number >= -1 && number < largest) return number
  throw new RedisProtocolError(`'${line}' is no length`)
}
