import { createServer, type Server, type Socket } from 'node:net'

/**
 * A TCP server on 127.0.0.1, on a port that was free; small answers are sent at once (`TCP_NODELAY`). One that nobody closed does
 * not keep its process alive.
 */
export function listenLocally(onConnection: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ noDelay: true }, onConnection)
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      server.unref()
      resolve(server)
    })
  })
}
