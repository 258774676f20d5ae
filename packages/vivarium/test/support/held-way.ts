import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A way to a server on which some bytes can be held up, while others overtake them. */
export interface HeldWay {
  readonly url: string
  /** Holds up the next chunk that has the word in it, and what follows on its connection. */
  hold(word: string): void
  /** Resolves when something is held up. */
  holds(): Promise<void>
  /** Resolves when a word has passed so many times since something is held up. */
  sees(word: string, times: number): Promise<void>
  release(): void
  close(): void
}

/** Listens before the server of a Redis URL. */
export async function openHeldWay(serverUrl: string): Promise<HeldWay> {
  const { port, hostname, password } = new URL(serverUrl)
  let awaited: string | undefined
  let held: (() => void)[] | undefined
  let passed = ''
  const watchers = new Set<() => void>()
  const sockets: Socket[] = []

  const until = (isTrue: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!isTrue()) return
        watchers.delete(look)
        resolve()
      }
      watchers.add(look)
      look()
    })

  const listener = createServer((client) => {
    const server = connect({ port: Number(port), host: hostname })
    sockets.push(client, server)
    let isHeld = false
    client.on('data', (chunk) => {
      const text = chunk.toString('latin1')
      if (awaited !== undefined && text.includes(awaited)) {
        awaited = undefined
        isHeld = true
        held = []
        passed = ''
        held.push(() => (isHeld = false))
      }
      if (isHeld) held?.push(() => void server.write(chunk))
      else {
        if (held !== undefined) passed += text
        server.write(chunk)
      }
      for (const look of watchers) look()
    })
    server.on('data', (chunk) => void client.write(chunk))
    client.on('error', () => server.destroy()).on('close', () => server.end())
    server.on('error', () => client.destroy()).on('close', () => client.end())
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => listener.once('listening', resolve))
  return {
    url: `redis://:${password}@127.0.0.1:${(listener.address() as AddressInfo).port}`,
    hold: (word) => {
      awaited = word
    },
    holds: () => until(() => held !== undefined),
    sees: (text, times) => until(() => passed.split(text).length > times),
    release: () => {
      const letGo = held ?? []
      held = undefined
      for (const go of letGo) go()
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      listener.close()
    },
  }
}
