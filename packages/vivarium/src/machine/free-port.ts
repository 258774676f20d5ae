import { createServer } from 'node:net'

/** A TCP port of 127.0.0.1 that was free a moment ago; another process may take it before it is used. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close((error) => {
        if (error !== undefined) reject(error)
        else if (address === null || typeof address === 'string') reject(new Error('a TCP server has no TCP address'))
        else resolve(address.port)
      })
    })
  })
}
