import { connect, createServer, type AddressInfo } from 'node:net'

/** A TCP proxy that really cuts connections: what a lost connection looks like without any of ours between. */
export interface CuttingProxy extends AsyncDisposable {
  readonly port: number
}

/** An Execute of the unnamed portal, as both clients send it with the Sync behind it. */
const execute = 'E\0\0\0\t\0'

/**
 * Cuts the connection whose client has sent a text that matches `at`, with the bytes that have it run: `'before'`, they are not
 * passed on; `'after'`, they are, and the server's answer is not. Each proxy cuts once.
 */
export async function openCuttingProxy(
  target: { host: string; port: number },
  at: RegExp,
  moment: 'before' | 'after',
): Promise<CuttingProxy> {
  let hasCut = false
  const server = createServer((client) => {
    const upstream = connect(target.port, target.host)
    let isCut = false
    let isNamed = false
    client.on('error', () => upstream.destroy())
    upstream.on('error', () => client.destroy())
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
    client.on('data', (chunk) => {
      const sent = chunk.toString('latin1')
      isNamed ||= at.test(sent)
      if (!hasCut && isNamed && (sent.startsWith('Q') || sent.includes(execute))) {
        hasCut = true
        isCut = true
        if (moment === 'before') return void client.destroy()
      }
      upstream.write(chunk)
    })
    upstream.on('data', (chunk) => {
      if (isCut) client.destroy()
      else client.write(chunk)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
