import { openOncePerWorker } from '../../core/registry.ts'
import { LocalServer } from './local-server.ts'
import { interceptNodeHttp } from './node-http.ts'
import { type Route, routeRequest } from './route.ts'
import { interceptUndici } from './undici.ts'
import { watchEscapes } from './watch-escapes.ts'

/** What stands between the clients of this process and the network. Once it is there it stays until the process ends. */
export class Interception {
  readonly server: LocalServer = new LocalServer()
  /** Origins whose requests go to the network in every sandbox. */
  readonly passing: string[] = []
  readonly #route: (method: string, url: URL) => Route = (method, url) => routeRequest(method, url, this.passing)

  constructor() {
    const routed = interceptNodeHttp(this.#route, this.server)
    watchEscapes(this.passing, routed)
  }

  /** Once more, for an application may have replaced what it shares with others. */
  renew(): void {
    interceptUndici(this.#route, this.server)
  }
}

/** Begins to intercept where that has not been done in this worker. */
export function intercept(): Interception {
  const interception = openOncePerWorker('http interception', () => new Interception())
  interception.renew()
  return interception
}
