import { subscribe } from 'node:diagnostics_channel'
import type { ClientRequest } from 'node:http'
import { VivariumError } from '../../core/errors.ts'
import { findOwner } from '../../core/owner.ts'
import { isForwarding } from './forward.ts'
import { requestUrl } from './request-url.ts'
import { isLoopback } from './route.ts'

/** What undici tells of a request. */
interface ToldRequest {
  readonly origin?: string | URL
  readonly path: string
  readonly method: string
}

/**
 * Fails the test when a request leaves for another machine past the interception: through a dispatcher or an agent of the application's own
 * that does not use what others share. Node and undici tell of each request on these channels; `routed` are those of `node:http` that
 * were intercepted.
 */
export function watchEscapes(passing: readonly string[], routed: Pick<WeakSet<object>, 'has'>): void {
  const look = (method: string, url: URL): void => {
    if (isLoopback(url.hostname) || passing.includes(url.origin) || isForwarding()) return
    findOwner()?.fail(escaped(method, url))
  }
  subscribe('undici:request:create', (message) => {
    const { origin, path, method } = (message as { request: ToldRequest }).request
    if (origin !== undefined) look(method, requestUrl(origin, path))
  })
  subscribe('http.client.request.start', (message) => {
    const { request } = message as { request: ClientRequest & { readonly socketPath?: string } }
    if (!routed.has(request) && !request.socketPath) look(request.method, requestUrl(originOf(request), request.path))
  })
}

/** The port is told by the header only, which an application may have set to something else. */
function originOf(request: ClientRequest): URL {
  const host = request.host.includes(':') ? `[${request.host}]` : request.host
  const origin = new URL(`${request.protocol}//${host}`)
  const header = `${request.protocol}//${String(request.getHeader('host'))}`
  const withPort = URL.canParse(header) ? new URL(header) : origin
  return withPort.hostname === origin.hostname ? withPort : origin
}

function escaped(method: string, url: URL): VivariumError {
  return new VivariumError('HTTP_REQUEST_ESCAPED', {
    what: `${method} ${url.href} went to the network: its client has a dispatcher or an agent of its own.`,
    remedy:
      "In the test, leave it out, so that the client uses the shared one (undici's `setGlobalDispatcher` changes that); or let its " +
      `requests pass: \`http: { passthrough: ['${url.origin}'] }\` in vivarium.config.ts.`,
  })
}
