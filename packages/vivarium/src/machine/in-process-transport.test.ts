import { once } from 'node:events'
import { connect, createServer, Socket } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { joinOwnConnections } from './in-process-transport.ts'

let tcp: Server
let port: number
let throughTcp: number
let served: Duplex[]
let leave: () => void

beforeEach(async () => {
  throughTcp = 0
  served = []
  tcp = createServer((socket) => {
    throughTcp++
    socket.on('error', () => socket.destroy())
    socket.end('tcp')
  })
  tcp.listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  port = (tcp.address() as AddressInfo).port
  leave = joinOwnConnections(port, (stream) => served.push(stream))
})

afterEach(async () => {
  leave()
  tcp.close()
  await once(tcp, 'close')
})

async function joined(): Promise<{ client: Socket; gateway: Duplex }> {
  const client = connect(port, '127.0.0.1')
  await once(client, 'connect')
  const gateway = served.at(-1)
  if (gateway === undefined) throw new Error('the connection was not joined')
  return { client, gateway }
}

describe('a connection to the own port', () => {
  test.each<[string, (callback: () => void) => Socket]>([
    ['connect(port, host, callback)', (callback) => connect(port, '127.0.0.1', callback)],
    ['connect(options, callback)', (callback) => connect({ port, host: 'localhost' }, callback)],
    ['new Socket().connect(port, host, callback)', (callback) => new Socket().connect(port, '127.0.0.1', callback)],
    [
      'a port as text',
      (callback) => new Socket().connect({ port: String(port) as never, host: '127.0.0.1' }, callback),
    ],
  ])('is joined in memory: %s', async (_form, open) => {
    await new Promise<void>((resolve) => {
      const socket = open(resolve)
      expect(socket.connecting).toBe(true)
    })
    expect(served).toHaveLength(1)
    expect(throughTcp).toBe(0)
  })

  test('carries bytes both ways, in order, and never within the call that wrote them', async () => {
    const { client, gateway } = await joined()
    const atGateway: string[] = []
    gateway.on('data', (chunk: Buffer) => {
      atGateway.push(chunk.toString())
      gateway.write(`answer to ${chunk.toString()}`)
    })
    const answer = once(client, 'data')
    client.write('one')
    expect(atGateway).toEqual([])
    expect(String((await answer)[0])).toBe('answer to one')
    const second = once(client, 'data')
    client.cork()
    client.write('two')
    client.write('three')
    client.uncork()
    await second
    expect(atGateway.join('')).toBe('onetwothree')
  })

  test('keeps its own copy of what the client wrote', async () => {
    const { client, gateway } = await joined()
    const chunk = once(gateway, 'data')
    const bytes = Buffer.from('before')
    client.write(bytes)
    bytes.fill('x')
    expect(String((await chunk)[0])).toBe('before')
  })

  test('pauses the writer while the reader does not read', async () => {
    const { client, gateway } = await joined()
    gateway.pause()
    const block = Buffer.alloc(64 * 1024)
    let taken = 0
    while (client.write(block) && taken < 1000) taken++
    expect(taken).toBeLessThan(10)
    const drained = once(client, 'drain')
    gateway.resume()
    await drained
  })

  test('ends on both sides when the client ends', async () => {
    const { client, gateway } = await joined()
    gateway.resume()
    const ended = Promise.all([once(gateway, 'end'), once(client, 'close')])
    client.resume()
    client.end()
    await ended
  })

  test('ends on both sides when the gateway ends', async () => {
    const { client, gateway } = await joined()
    client.resume()
    const closed = Promise.all([once(client, 'end'), once(client, 'close')])
    gateway.end('bye')
    await closed
  })

  test('tells the gateway when the client is destroyed', async () => {
    const { client, gateway } = await joined()
    gateway.resume()
    const ended = once(gateway, 'end')
    client.destroy()
    await ended
  })

  test('keeps a socket time-out from firing while bytes arrive', async () => {
    const { client, gateway } = await joined()
    const restarted = vi.spyOn(client, 'setTimeout')
    client.setTimeout(60_000)
    const data = once(client, 'data')
    gateway.write('x')
    await data
    expect(restarted).toHaveBeenCalledTimes(2)
    client.destroy()
  })

  test('does not collect listeners when a pool refs and unrefs it', async () => {
    const { client } = await joined()
    for (let n = 0; n < 20; n++) client.ref().unref()
    expect(client.listenerCount('connect')).toBe(0)
    client.destroy()
  })
})

test('a connection to any other port goes through TCP', async () => {
  const other = createServer((socket) => socket.end('other'))
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  const client = connect((other.address() as AddressInfo).port, '127.0.0.1')
  expect(String((await once(client, 'data'))[0])).toBe('other')
  client.destroy()
  other.close()
  await once(other, 'close')
  expect(served).toHaveLength(0)
})

test("afterwards Node's own connect is back, and the port is reached through TCP", async () => {
  const joining = Socket.prototype.connect
  leave()
  expect(Socket.prototype.connect).not.toBe(joining)
  const client = connect(port, '127.0.0.1')
  expect(String((await once(client, 'data'))[0])).toBe('tcp')
  client.destroy()
})

test('when somebody has wrapped connect after us, ours only passes on afterwards', async () => {
  const ours = Socket.prototype.connect
  const wrapper = function (this: Socket, ...args: never[]): Socket {
    return Reflect.apply(ours, this, args) as Socket
  }
  Socket.prototype.connect = wrapper as typeof ours
  leave()
  expect(Socket.prototype.connect).toBe(wrapper)
  const client = connect(port, '127.0.0.1')
  expect(String((await once(client, 'data'))[0])).toBe('tcp')
  client.destroy()
  Socket.prototype.connect = ours
  leave()
})
