import { VivariumError } from '../../core/errors.ts'
import { findOwner, type SandboxOwner } from '../../core/owner.ts'
import { Exchange } from '../exchange.ts'
import { HttpPart } from '../http-part.ts'
import { serviceOf } from '../service-definition.ts'
import { isForwarding } from './forward.ts'

/** Where a request of this process goes. */
export type Route =
  | { readonly to: 'network' }
  | { readonly to: 'local server'; readonly exchange: Exchange }
  /** A port at which nobody listens. */
  | { readonly to: 'nobody' }

/**
 * Decides about a request when its client begins it. Throws `NO_SANDBOX` or `SANDBOX_CLOSED`, which the client gives its caller as the
 * reason why it could not connect.
 */
export function routeRequest(method: string, url: URL, passing: readonly string[]): Route {
  if (isForwarding() || passing.includes(url.origin)) return { to: 'network' }
  const owner = findOwner()
  const parts = owner === undefined ? [] : HttpPart.serving(owner)
  const service = serviceOf(url)
  if (isLoopback(url.hostname) && service === undefined && !parts.some((part) => hasRulesFor(part, url.origin))) {
    return { to: 'network' }
  }
  if (owner === undefined) throw outsideSandbox(method, url)
  if (owner.state === 'closed' || owner.knownPart<HttpPart>('http')?.isSettled) {
    const error = afterClose(method, url, owner)
    owner.fail(error)
    throw error
  }
  const condition = parts
    .map((part) => service && part.conditionOf(service.baseUrl.href))
    .find((one) => one !== undefined)
  if (condition?.behaviour?.behaves === 'down') {
    HttpPart.of(owner).missed(method, url, service?.name)
    return { to: 'nobody' }
  }
  const exchange = new Exchange(owner, url.origin)
  HttpPart.of(owner).start(exchange)
  return { to: 'local server', exchange }
}

/** This machine, which a test's own servers are on. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '0.0.0.0' ||
    // The last one: an address of version 4 inside one of version 6, as a URL writes it (`7f` is 127).
    /^(127\.[\d.]+|\[::1\]|\[::ffff:7f[\da-f]{2}:[\da-f]+\])$/.test(hostname)
  )
}

function hasRulesFor(part: HttpPart, origin: string): boolean {
  return part.rules.some(({ target }) => {
    if (target.by === 'pattern') return target.pattern.origin === origin
    const { path } = target.handler.info
    return typeof path === 'string' && URL.canParse(path) && new URL(path).origin === origin
  })
}

function outsideSandbox(method: string, url: URL): VivariumError {
  return new VivariumError('NO_SANDBOX', {
    what: `${method} ${url.href} was refused: no sandbox is open here.`,
    remedy:
      'Make requests inside a test or a hook, not while a file loads. A service that is to be reached for real: ' +
      `\`http: { passthrough: ['${url.origin}'] }\` in vivarium.config.ts.`,
  })
}

function afterClose(method: string, url: URL, owner: SandboxOwner): VivariumError {
  return new VivariumError('SANDBOX_CLOSED', {
    what: `${method} ${url.href} was refused: sandbox "${owner.title}", in which it was made, is closed.`,
    remedy: 'Await everything that the test starts before it ends.',
  })
}
