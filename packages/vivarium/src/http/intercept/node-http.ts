import { Agent, type ClientRequest, type RequestOptions } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Exchange } from '../exchange.ts'
import type { LocalServer } from './local-server.ts'
import { nobody } from './nobody.ts'
import { requestUrl } from './request-url.ts'
import type { Route } from './route.ts'

/** The method through which each request of `http` and `https` that has an agent gets its connection; not in Node's documentation. */
interface AgentInside {
  addRequest(request: ClientRequest, options: RequestOptions, ...legacy: unknown[]): void
}

/** How an agent gives a request its connection, or the reason why it has none. */
interface RequestInside {
  onSocket(socket: undefined, error: Error): void
}

/**
 * Asks `route` before a request of `node:http` or `node:https` gets a connection. It is done where their agent gives it one, so it does not
 * matter how the request was made, or how those modules were imported. Returns the requests that were asked about.
 */
export function interceptNodeHttp(
  route: (method: string, url: URL) => Route,
  server: LocalServer,
): Pick<WeakSet<object>, 'has'> {
  const routed = new WeakSet<object>()
  const inside = Agent.prototype as unknown as AgentInside
  const original = inside.addRequest
  inside.addRequest = function (this: AgentInside, request, options, ...legacy) {
    const url = urlOf(request, options)
    if (url === undefined) return original.call(this, request, options, ...legacy)
    routed.add(request)
    let target: Route
    try {
      target = route(request.method, url)
    } catch (error) {
      // As an agent tells that no connection came about.
      const { onSocket } = request as unknown as RequestInside
      onSocket.call(request, undefined, error as Error)
      return undefined
    }
    if (target.to === 'network') return original.call(this, request, options, ...legacy)
    const agent = new OneRequestAgent(target, url.protocol === 'https:', server)
    return original.call(agent as unknown as AgentInside, request, options, ...legacy)
  }
  return routed
}

function urlOf(request: ClientRequest, options: RequestOptions | string): URL | undefined {
  if (typeof options === 'string' || options.socketPath) return undefined
  const { host, port } = options
  const address = host?.includes(':') ? `[${host}]` : (host ?? 'localhost')
  return requestUrl(`${request.protocol}//${address}${port ? `:${port}` : ''}`, request.path)
}

/** Gives one request a connection of its own, by which the server knows it. */
class OneRequestAgent extends Agent {
  readonly #target: Exclude<Route, { to: 'network' }>
  readonly #asTls: boolean
  readonly #server: LocalServer

  constructor(target: Exclude<Route, { to: 'network' }>, asTls: boolean, server: LocalServer) {
    super({ keepAlive: false })
    this.#target = target
    this.#asTls = asTls
    this.#server = server
  }

  override createConnection(_: unknown, created?: (error: Error | null, socket: Duplex) => void): Socket | undefined {
    if (this.#target.to === 'nobody') return this.#connect(nobody)
    const { exchange } = this.#target
    const { port, listening } = this.#server
    if (port !== undefined) return this.#connect({ host: '127.0.0.1', port }, exchange)
    void listening.then((later) => created?.(null, this.#connect({ host: '127.0.0.1', port: later }, exchange)))
    return undefined
  }

  #connect(to: { host: string; port: number }, exchange?: Exchange): Socket {
    const socket = connect({ ...to, noDelay: true })
    socket.once('connect', () => {
      if (exchange !== undefined) this.#server.expectConnection(socket.localPort!, exchange)
      if (this.#asTls) socket.emit('secureConnect')
    })
    // Given up before it was sent.
    socket.once('close', () => exchange?.state === 'sent' && exchange.end())
    return this.#asTls ? asTlsSocket(socket) : socket
  }
}

/** What clients look at on a socket of `https`. */
function asTlsSocket(socket: Socket): Socket {
  return Object.assign(socket, {
    encrypted: true,
    authorized: true,
    authorizationError: null,
    alpnProtocol: false,
    getPeerCertificate: () => ({}),
    getProtocol: () => 'TLSv1.3',
    getSession: () => undefined,
    isSessionReused: () => false,
  })
}
