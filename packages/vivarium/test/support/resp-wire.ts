import { connect, type Socket } from 'node:net'

/** A reply as plain data, read without the code under test: `-` errors as `{ error }`, maps as `{ map }`, pushes as `{ push }`. */
export type Value = string | number | boolean | null | Value[] | { readonly [kind: string]: Value }

/** A connection that speaks the Redis protocol as tests write it, and counts on nothing. */
export class RespWire {
  readonly #socket: Socket
  #bytes: Buffer = Buffer.alloc(0)
  readonly #values: Value[] = []
  readonly #waiting: ((value: Value) => void)[] = []
  isClosed = false
  readonly closed: Promise<void>

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      for (let read = readValue(this.#bytes, 0); read !== undefined; read = readValue(this.#bytes, 0)) {
        this.#bytes = this.#bytes.subarray(read.end)
        const waiting = this.#waiting.shift()
        if (waiting === undefined) this.#values.push(read.value)
        else waiting(read.value)
      }
    })
    socket.on('error', () => socket.destroy())
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.isClosed = true
        for (const waiting of this.#waiting.splice(0)) waiting({ closed: true })
        resolve()
      })
    })
  }

  /** Sends without waiting. Words are arguments. */
  send(...words: readonly (string | Buffer)[]): void {
    this.#socket.write(
      Buffer.concat([
        Buffer.from(`*${words.length}\r\n`),
        ...words.flatMap((word) => [
          Buffer.from(`$${Buffer.byteLength(word)}\r\n`),
          Buffer.from(word as string),
          Buffer.from('\r\n'),
        ]),
      ]),
    )
  }

  write(bytes: string | Buffer): void {
    this.#socket.write(bytes)
  }

  /** The next value that arrives. */
  next(): Promise<Value> {
    const value = this.#values.shift()
    if (value !== undefined) return Promise.resolve(value)
    if (this.isClosed) return Promise.resolve({ closed: true })
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** What has arrived and was not asked for. */
  get arrived(): readonly Value[] {
    return this.#values
  }

  command(...words: readonly (string | Buffer)[]): Promise<Value> {
    this.send(...words)
    return this.next()
  }

  end(): void {
    this.#socket.destroy()
  }
}

/** Connects to a Redis URL and logs in. */
export async function connectWire(url: string): Promise<RespWire> {
  const { hostname, port, username, password } = new URL(url)
  const wire = new RespWire(connect({ host: hostname, port: Number(port || 6379) }))
  if (password !== '') {
    const reply = await wire.command(
      'AUTH',
      ...(username === '' ? [] : [decodeURIComponent(username)]),
      decodeURIComponent(password),
    )
    if (reply !== 'OK') throw new Error(`not logged in: ${JSON.stringify(reply)}`)
  }
  return wire
}

interface Read {
  readonly value: Value
  readonly end: number
}

function readValue(bytes: Buffer, from: number): Read | undefined {
  const line = bytes.indexOf('\r\n', from)
  if (line < 0) return undefined
  const type = String.fromCharCode(bytes[from]!)
  const text = bytes.toString('latin1', from + 1, line)
  const end = line + 2
  const many = (count: number): { values: Value[]; end: number } | undefined => {
    const values: Value[] = []
    let at = end
    for (let index = 0; index < count; index++) {
      const read = readValue(bytes, at)
      if (read === undefined) return undefined
      values.push(read.value)
      at = read.end
    }
    return { values, end: at }
  }
  switch (type) {
    case '+':
      return { value: text, end }
    case '-':
      return { value: { error: text }, end }
    case ':':
      return { value: Number(text), end }
    case '_':
      return { value: null, end }
    case '#':
      return { value: text === 't', end }
    case ',':
      return { value: { double: text }, end }
    case '(':
      return { value: { big: text }, end }
    case '$':
    case '=': {
      const length = Number(text)
      if (length < 0) return { value: null, end }
      if (bytes.length < end + length + 2) return undefined
      return { value: bytes.toString('latin1', end, end + length), end: end + length + 2 }
    }
    case '*':
    case '~':
    case '>':
    case '%': {
      const count = Number(text) * (type === '%' ? 2 : 1)
      if (count < 0) return { value: null, end }
      const read = many(count)
      if (read === undefined) return undefined
      const value: Value = type === '%' ? { map: read.values } : type === '>' ? { push: read.values } : read.values
      return { value, end: read.end }
    }
    default:
      throw new Error(`a reply that begins with ${JSON.stringify(type)}`)
  }
}
