import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'

export interface StartServerOptions {
  readonly fetch: (request: Request) => Response | Promise<Response>
  readonly host: string
  /** 0: any free port. */
  readonly port: number
}

export interface Server {
  readonly url: string
  /**
   * Takes no more connections, and resolves when the requests under way have been answered; those that have not by the
   * deadline, in milliseconds, are cut off. Tells how many that were.
   */
  stop(deadlineMs: number): Promise<{ cutOff: number }>
}

/** Listens. Rejects when it cannot: `EADDRINUSE`. */
export async function startServer({ fetch, host, port }: StartServerOptions): Promise<Server> {
  let underWay = 0
  let isStopping = false
  const listener = getRequestListener(fetch, { overrideGlobalObjects: false })
  const server = createServer((request, response) => {
    underWay++
    // A client that keeps its connection would otherwise send its next request to a server that is gone.
    if (isStopping) response.setHeader('connection', 'close')
    response.once('close', () => {
      underWay--
      if (isStopping) setImmediate(() => server.closeIdleConnections())
    })
    void listener(request, response)
  })
  server.listen(port, host)
  await once(server, 'listening')

  const { address, family, port: bound } = server.address() as AddressInfo
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`,
    async stop(deadlineMs) {
      isStopping = true
      let cutOff = 0
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      const deadline = setTimeout(() => {
        cutOff = underWay
        server.closeAllConnections()
      }, deadlineMs)
      await closed
      clearTimeout(deadline)
      return { cutOff }
    },
  }
}
