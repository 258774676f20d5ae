import { subscribe } from 'node:diagnostics_channel'
import { VivariumError } from '../../core/errors.ts'
import { findOwner } from '../../core/owner.ts'
import { isForwarding } from './forward.ts'
import { isLoopback } from './route.ts'

/** What the channels tell of a request. */
interface ToldRequest {
  readonly origin?: string | URL
  readonly protocol?: string
  readonly host?: string
  readonly path: string
  readonly method: string
  readonly socket?: { readonly remoteAddress?: string } | null
}

/**
 * Fails the test when a request leaves for another machine past the interception: through a dispatcher or an agent of the application's own
 * that does not use what others share. Node and undici tell of each request on these channels.
 */
export function watchEscapes(passing: readonly string[]): void {
  const look = (method: string, url: URL): void => {
    if (isLoopback(url.hostname) || passing.includes(url.origin) || isForwarding()) return
    findOwner()?.fail(escaped(method, url))
  }
  subscribe('undici:request:create', (message) => {
    const { origin, path, method } = (message as { request: ToldRequest }).request
    if (origin !== undefined) look(method, new URL(path, origin))
  })
  subscribe('http.client.request.start', (message) => {
    const { protocol, host, path, method, socket } = (message as { request: ToldRequest }).request
    // Told when the request is written: its connection says where it went.
    if (!isLoopback(socket?.remoteAddress ?? '127.0.0.1')) look(method, new URL(path, `${protocol}//${host}`))
  })
}

function escaped(method: string, url: URL): VivariumError {
  return new VivariumError('HTTP_REQUEST_ESCAPED', {
    what: `${method} ${url.href} went to the network: its client has a dispatcher or an agent of its own.`,
    remedy:
      "In the test, leave it out, so that the client uses the shared one (undici's `setGlobalDispatcher` changes that); or let its " +
      `requests pass: \`http: { passthrough: ['${url.origin}'] }\` in vivarium.config.ts.`,
  })
}
