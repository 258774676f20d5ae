import { readInteger, RedisProtocolError } from './protocol-error.ts'
import type { ReplyType } from './reply-scanner.ts'

/** A value of a reply. A map's keys and values stand in turn. */
export type Reply = LineReply | BytesReply | ListReply

/** A value that is one line: a text, an error, a number, a boolean, null. */
export interface LineReply extends WithAttributes {
  readonly type: '+' | '-' | ':' | '_' | '#' | ',' | '('
  readonly text: string
}

/** A value that is a number of bytes; `undefined` is null. */
export interface BytesReply extends WithAttributes {
  readonly type: '$' | '!' | '='
  readonly bytes: Buffer | undefined
}

/** A value that is made of others; `undefined` is null. */
export interface ListReply extends WithAttributes {
  readonly type: '*' | '~' | '>' | '%'
  readonly items: readonly Reply[] | undefined
}

interface WithAttributes {
  /** Those of the innermost last; keys and values of each in turn. */
  readonly attributes?: readonly (readonly Reply[])[]
}

const deepest = 512

/** Reads one whole reply. Throws {@link RedisProtocolError}. */
export function readReply(bytes: Buffer): Reply {
  const reader = new ReplyReader(bytes)
  const reply = reader.value(0)
  if (!reader.isAtEnd) throw new RedisProtocolError('bytes follow the reply')
  return reply
}

class ReplyReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  value(depth: number): Reply {
    if (depth > deepest) throw new RedisProtocolError('a reply nests too deeply')
    const line = this.#line()
    const type = line.slice(0, 1) as ReplyType
    const text = line.slice(1)
    switch (type) {
      case '$':
      case '!':
      case '=':
        return { type, bytes: this.#data(size(text)) }
      case '*':
      case '~':
      case '>':
        return { type, items: this.#items(size(text), depth) }
      case '%':
        return { type, items: this.#items(2 * size(text), depth) }
      case '|': {
        const attributes = this.#items(2 * size(text), depth) ?? []
        const value = this.value(depth + 1)
        return { ...value, attributes: [attributes, ...(value.attributes ?? [])] }
      }
      case '+':
      case '-':
      case ':':
      case '_':
      case '#':
      case ',':
      case '(':
        return { type, text }
    }
    throw new RedisProtocolError(`no reply begins with '${String(type)}'`)
  }

  #line(): string {
    const end = this.#bytes.indexOf('\r\n', this.#at, 'latin1')
    if (end < 0) throw new RedisProtocolError('a line has no end')
    // Error texts may hold any bytes: they go out as they came.
    const line = this.#bytes.toString('latin1', this.#at, end)
    this.#at = end + 2
    return line
  }

  #data(length: number): Buffer | undefined {
    if (length < 0) return undefined
    const end = this.#at + length
    if (end + 2 > this.#bytes.length) throw new RedisProtocolError('a value is cut short')
    const data = this.#bytes.subarray(this.#at, end)
    this.#at = end + 2
    return data
  }

  #items(count: number, depth: number): Reply[] | undefined {
    if (count < 0) return undefined
    const items: Reply[] = []
    for (let index = 0; index < count; index++) items.push(this.value(depth + 1))
    return items
  }
}

function size(text: string): number {
  const number = readInteger(text)
  if (number === undefined || number < -1) throw new RedisProtocolError(`'${text}' is no length`)
  return number
}

/** A reply's bytes. */
export function writeReply(reply: Reply): Buffer {
  const parts: Buffer[] = []
  write(reply, parts)
  return Buffer.concat(parts)
}

function write(reply: Reply, parts: Buffer[]): void {
  for (const attributes of reply.attributes ?? []) {
    line(parts, `|${attributes.length / 2}`)
    for (const attribute of attributes) write(attribute, parts)
  }
  switch (reply.type) {
    case '$':
    case '!':
    case '=':
      if (reply.bytes === undefined) return line(parts, `${reply.type}-1`)
      line(parts, `${reply.type}${reply.bytes.length}`)
      parts.push(reply.bytes)
      return line(parts, '')
    case '*':
    case '~':
    case '>':
    case '%': {
      const { type, items } = reply
      line(parts, `${type}${items === undefined ? -1 : type === '%' ? items.length / 2 : items.length}`)
      for (const item of items ?? []) write(item, parts)
      return
    }
    case '+':
    case '-':
    case ':':
    case '_':
    case '#':
    case ',':
    case '(':
      line(parts, `${reply.type}${reply.text}`)
  }
}

function line(parts: Buffer[], text: string): void {
  parts.push(Buffer.from(`${text}\r\n`, 'latin1'))
}
