import type { LocalServer } from './local-server.ts'
import { nobody } from './nobody.ts'
import { requestUrl } from './request-url.ts'
import type { Route } from './route.ts'

/** What is used of a dispatcher of undici, whichever version: its one method, and of that the options that say where to. */
interface Dispatcher {
  dispatch(options: DispatchOptions, handler: object): boolean
}

interface DispatchOptions {
  readonly origin?: string | URL
  readonly path: string
  readonly method: string
}

/** Where the copies of undici in a process (Node's own `fetch` is one) keep the dispatcher that they share: versions 5 to 7, and 8. */
const places = [Symbol.for('undici.globalDispatcher.1'), Symbol.for('undici.globalDispatcher.2')] as const

/** They call `dispatch` on `this`: that is to be this one, too. */
const callsDispatch: readonly PropertyKey[] = ['request', 'stream', 'pipeline', 'connect', 'upgrade', 'compose']

const wrapped = Symbol.for('vivarium.http.dispatcher')

/** Puts the dispatcher that every `fetch` and `undici.request` uses behind one that asks `route` first; again where it was replaced. */
export function interceptUndici(route: (method: string, url: URL) => Route, server: LocalServer): void {
  const shared = globalThis as unknown as Record<symbol, (Dispatcher & { [wrapped]?: true }) | undefined>
  // Node makes its own when `fetch` is first touched.
  if (shared[places[0]] === undefined) void globalThis.Request
  for (const place of places) {
    const original = shared[place]
    if (original !== undefined && original[wrapped] !== true) shared[place] = behindRoute(original, route, server)
  }
}

function behindRoute(
  original: Dispatcher,
  route: (method: string, url: URL) => Route,
  server: LocalServer,
): Dispatcher & { [wrapped]?: true } {
  const dispatch = (options: DispatchOptions, handler: object): boolean => {
    if (options.origin === undefined) return original.dispatch(options, handler)
    const target = route(options.method, requestUrl(options.origin, options.path))
    switch (target.to) {
      case 'network':
        return original.dispatch(options, handler)
      case 'nobody':
        return original.dispatch({ ...options, origin: `http://${nobody.host}:${nobody.port}` }, handler)
      case 'local server': {
        const { path: before, done } = server.pathFor(target.exchange)
        const path = before + options.path
        const send = (port: number): boolean =>
          original.dispatch({ ...options, origin: `http://127.0.0.1:${port}`, path }, toldOfEnd(handler, done))
        if (server.port !== undefined) return send(server.port)
        void server.listening.then(send)
        return true
      }
    }
  }
  return new Proxy(original as Dispatcher & { [wrapped]?: true }, {
    get: (target, key, proxy) => {
      if (key === 'dispatch') return dispatch
      if (key === wrapped) return true
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      // Private fields are those of the original.
      return value.bind(callsDispatch.includes(key) ? proxy : target) as unknown
    },
  })
}

/** What is called last on a handler: up to version 6 of undici, and since 7. */
const lastCalls: readonly PropertyKey[] = ['onComplete', 'onError', 'onResponseEnd', 'onResponseError']

/** The handler of one request; `ended` is called before it is told that this is over. */
function toldOfEnd(handler: object, ended: () => void): object {
  return new Proxy(handler, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      // Private fields are those of the original.
      const bound = value.bind(target) as (...args: readonly unknown[]) => unknown
      if (!lastCalls.includes(key)) return bound
      return (...args: readonly unknown[]) => {
        ended()
        return bound(...args)
      }
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  })
}
