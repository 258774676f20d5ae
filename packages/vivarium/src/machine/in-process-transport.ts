import { Socket } from 'node:net'
import { Duplex } from 'node:stream'

/**
 * Connections that this process makes to its own gateway do not go through the kernel: the client's socket is joined to
 * the gateway in memory. The client still calls `connect(port, '127.0.0.1')` on a socket of Node's own, so no client
 * library is touched; other processes connect through TCP as ever. It takes two of the four socket hops of a statement
 * away (docs/decisions, "In-process transport").
 *
 * @returns a function that puts Node's own `connect` back.
 */
export function joinOwnConnections(port: number, serve: (stream: Duplex) => void): () => void {
  const prototype = Socket.prototype
  const { connect } = prototype
  let isActive = true
  const joining = function (this: Socket, ...args: unknown[]): Socket {
    const { target, callback } = readArguments(args)
    const isOurs = isActive && target.port === port && target.path === undefined && isLoopback(target.host)
    if (!isOurs) return Reflect.apply(connect, this, args) as Socket
    if (callback !== undefined) this.once('connect', callback)
    join(this, port, serve)
    return this
  }
  prototype.connect = joining as typeof connect
  return () => {
    isActive = false
    // Somebody may have wrapped it after us: then ours stays in the chain and only passes on.
    if (prototype.connect === (joining as typeof connect)) prototype.connect = connect
  }
}

interface ConnectTarget {
  readonly port: number | undefined
  readonly host: string | undefined
  readonly path: string | undefined
}

/** The forms of `socket.connect`: options, (port, host), (path), each with a callback; `net.connect` passes them as a list. */
function readArguments(args: readonly unknown[]): { target: ConnectTarget; callback: (() => void) | undefined } {
  const list: readonly unknown[] = Array.isArray(args[0]) ? args[0] : args
  const [first, second] = list
  const callback = list.find((argument) => typeof argument === 'function') as (() => void) | undefined
  if (typeof first === 'object' && first !== null) {
    const { port, host, path } = first as Record<string, unknown>
    return {
      target: { port: toPort(port), host: toText(host), path: toText(path) },
      callback,
    }
  }
  return { target: { port: toPort(first), host: toText(second), path: undefined }, callback }
}

function toPort(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : undefined
}

function toText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function isLoopback(host: string | undefined): boolean {
  return host === '127.0.0.1' || host === 'localhost'
}

type Done = (error?: Error | null) => void

/** One direction's end of a joined pair: what is written to the other end is read here. */
class GatewayEnd extends Duplex {
  /** Told when more may be pushed. */
  wanted: (() => void) | undefined
  readonly #client: ClientEnd

  constructor(client: ClientEnd) {
    // As a server's socket: when the client has ended, so have we.
    super({ allowHalfOpen: false })
    this.#client = client
  }

  /** What the client wrote; false when it is to wait. With somebody listening and nothing queued there is no queue. */
  receive(chunk: Buffer): boolean {
    if (this.readableFlowing !== true || this.readableLength > 0) return this.push(chunk)
    this.emit('data', chunk)
    return true
  }

  /** As any stream's, but without a queue while the client takes what it is given. */
  override write(chunk: Buffer, encoding?: BufferEncoding | Done, done?: Done): boolean {
    const isQueued = this.writableLength > 0 || this.writableCorked > 0 || encoding !== undefined || done !== undefined
    if (!isQueued && !this.writableEnded && this.#client.takes(chunk)) return true
    return super.write(chunk, encoding as BufferEncoding, done)
  }

  override _read(): void {
    const { wanted } = this
    this.wanted = undefined
    wanted?.()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#client.deliver(chunk, done)
  }

  override _final(done: Done): void {
    this.#client.finish()
    done()
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#client.finish()
    done(error)
  }
}

/** The client's side: a socket of Node's whose reads and writes are ours. */
interface ClientEnd {
  /** Gives it the bytes when it takes them at once; false when it does not. */
  takes(chunk: Buffer): boolean
  deliver(chunk: Buffer, done: () => void): void
  finish(): void
}

interface Written {
  readonly chunk: Buffer | string
  readonly encoding: BufferEncoding
}

/** A socket of Node's is given text as text. */
function bytesOf(chunk: Buffer | string, encoding: BufferEncoding): Buffer {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk
}

const settled: Promise<void> = Promise.resolve()

function join(socket: Socket, port: number, serve: (stream: Duplex) => void): void {
  let wanted: (() => void) | undefined
  let isFinished = false
  const push = (chunk: Buffer): boolean => {
    if (socket.timeout !== undefined && socket.timeout > 0) socket.setTimeout(socket.timeout)
    return socket.push(chunk)
  }
  const gatewayEnd = new GatewayEnd({
    takes: (chunk) => {
      if (socket.destroyed || isFinished || socket.readableFlowing !== true || socket.readableLength > 0) return false
      push(chunk)
      return true
    },
    deliver: (chunk, done) => {
      if (socket.destroyed || isFinished || push(chunk)) done()
      else wanted = done
    },
    finish: () => {
      if (isFinished || socket.destroyed) return
      isFinished = true
      socket.push(null)
    },
  })
  // Not within the client's own call: no client expects its answer before its write has returned.
  const hand = (chunk: Buffer, taken: () => void): void => {
    void settled.then(() => {
      if (gatewayEnd.destroyed || gatewayEnd.readableEnded) return taken()
      if (gatewayEnd.receive(chunk)) taken()
      else gatewayEnd.wanted = taken
    })
  }
  const endGateway = (): void => {
    void Promise.resolve().then(() => {
      if (!gatewayEnd.destroyed && !gatewayEnd.readableEnded) gatewayEnd.push(null)
    })
  }
  const destroySocket = socket._destroy.bind(socket)
  Object.assign(socket, {
    connecting: true,
    // There is no handle that could keep the process alive; without one Node would wait for `connect` again and again.
    ref: () => socket,
    unref: () => socket,
    _read: () => {
      const ready = wanted
      wanted = undefined
      ready?.()
    },
    // Copied: the client may use its buffer again, as it may after a real write.
    _write: (chunk: Buffer | string, encoding: BufferEncoding, done: () => void) =>
      hand(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk), done),
    _writev: (chunks: readonly Written[], done: () => void) =>
      hand(Buffer.concat(chunks.map(({ chunk, encoding }) => bytesOf(chunk, encoding))), done),
    _final: (done: () => void) => {
      endGateway()
      done()
    },
    _destroy: (error: Error | null, done: (error?: Error | null) => void) => {
      endGateway()
      destroySocket(error, done)
    },
  })
  for (const [name, value] of Object.entries({ remoteAddress: '127.0.0.1', remoteFamily: 'IPv4', remotePort: port })) {
    Object.defineProperty(socket, name, { value, configurable: true })
  }
  void Promise.resolve().then(() => {
    if (socket.destroyed) return
    serve(gatewayEnd)
    Object.assign(socket, { connecting: false })
    socket.emit('connect')
    socket.emit('ready')
  })
}
