import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SandboxOwner } from '../../core/owner.ts'
import { runInContext } from '../../core/registry.ts'
import { Exchange } from '../exchange.ts'
import { HttpPart } from '../http-part.ts'
import { requestUrl } from './request-url.ts'
import { serveExchange } from './serve-exchange.ts'

/** Where a path of the server leads that was given to somebody outside of this process. */
interface Door {
  readonly owner: SandboxOwner
  readonly baseUrl: URL
}

/**
 * The real HTTP server, one per worker, on which every service of its sandboxes is answered. A request is known by the connection it
 * comes on, or by the first part of its path.
 */
export class LocalServer {
  /** The port, once it listens. */
  readonly listening: Promise<number>
  /** Nobody else on this machine is to get an answer. */
  readonly #secret: string = randomBytes(16).toString('hex')
  readonly #byConnection: Map<number, Exchange> = new Map()
  readonly #byNumber: Map<string, () => Exchange | undefined> = new Map()
  readonly #doors: Map<string, Door> = new Map()
  #port: number | undefined
  #count = 0

  constructor() {
    const server = createServer((request, response) => this.#serve(request, response))
    // How long a service may take is for its client to say.
    server.requestTimeout = 0
    server.keepAliveTimeout = 0
    server.headersTimeout = 0
    this.listening = new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', () => {
        this.#port = (server.address() as AddressInfo).port
        resolve(this.#port)
      })
    })
    // A worker ends when its tests have.
    server.unref()
    server.on('connection', (socket) => socket.unref())
  }

  /** The same, `undefined` until it listens. */
  get port(): number | undefined {
    return this.#port
  }

  /** What comes on the connection from `port` of this machine belongs to `exchange`. */
  expectConnection(port: number, exchange: Exchange): void {
    this.#byConnection.set(port, exchange)
    void exchange.ended.then(() => {
      if (this.#byConnection.get(port) === exchange) this.#byConnection.delete(port)
    })
  }

  /**
   * The path that stands before the request's own one, for a connection that several requests share. Until `done` is called the
   * client may send it again: each time is an exchange of its own.
   */
  pathFor(exchange: Exchange): { readonly path: string; readonly done: () => void } {
    const number = String(++this.#count)
    const part = HttpPart.of(exchange.owner)
    const find = (): Exchange | undefined => {
      if (exchange.state === 'sent') return exchange
      return part.isSettled ? undefined : exchange.run(() => startExchange(exchange.owner, exchange.origin))
    }
    const done = (): void => {
      this.#byNumber.delete(number)
      part.whenSettled.delete(done)
      // It fails before its request has come to the server.
      if (exchange.state === 'sent') exchange.end()
    }
    this.#byNumber.set(number, find)
    part.whenSettled.add(done)
    return { path: `/${this.#secret}/${number}`, done }
  }

  /** A path that leads to a service in one sandbox, from any process. */
  openDoor(door: Door): { readonly path: string; readonly close: () => void } {
    const token = randomBytes(16).toString('hex')
    this.#doors.set(token, door)
    return { path: `/${token}`, close: () => void this.#doors.delete(token) }
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const known = this.#find(request)
    if (known === undefined) {
      response.writeHead(404, { 'content-type': 'text/plain' })
      response.end(
        'The server of a test run (Vivarium). This URL leads to no open sandbox: it has closed, or never was.\n',
      )
      return
    }
    serveExchange(known.exchange, known.url, request, response)
  }

  #find(request: IncomingMessage): { exchange: Exchange; url: URL } | undefined {
    const path = request.url ?? '/'
    const onConnection = this.#byConnection.get(request.socket.remotePort ?? 0)
    if (onConnection !== undefined) {
      return { exchange: onConnection, url: requestUrl(onConnection.origin, path) }
    }
    const [, first = '', second = ''] = path.split(/[/?]/, 3)
    if (first === this.#secret) {
      const exchange = this.#byNumber.get(second)?.()
      const rest = path.slice(first.length + second.length + 2)
      return exchange && { exchange, url: requestUrl(exchange.origin, rest.startsWith('/') ? rest : `/${rest}`) }
    }
    const door = this.#doors.get(first)
    if (door === undefined || door.owner.state !== 'open') return undefined
    return throughDoor(door, path.slice(first.length + 1))
  }
}

function throughDoor({ owner, baseUrl }: Door, rest: string): { exchange: Exchange; url: URL } {
  const exchange = runInContext(owner, () => startExchange(owner, baseUrl.origin))
  return { exchange, url: new URL(`${baseUrl.href.replace(/\/$/, '')}${rest}`) }
}

function startExchange(owner: SandboxOwner, origin: string): Exchange {
  const exchange = new Exchange(owner, origin)
  HttpPart.of(owner).start(exchange)
  return exchange
}
