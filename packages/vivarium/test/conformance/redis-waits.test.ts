import { type AddressInfo, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { openVivarium, type SandboxFailures } from '../../src/index.ts'
import { openRedisClient } from '../../src/redis/connection/client.ts'
import { describeIfFound, installedRedis } from '../support/require.ts'
import { connectWire } from '../support/resp-wire.ts'

test('a server that takes a command and never answers is told after the deadline', async () => {
  const sockets: Socket[] = []
  const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1')
  await new Promise((resolve) => silent.once('listening', resolve))
  const { port } = silent.address() as AddressInfo
  await expect(openRedisClient({ host: '127.0.0.1', port, database: 0 }, 100)).rejects.toMatchObject({
    code: 'SERVER_UNREACHABLE',
    seen: expect.stringContaining('within 100 ms'),
  })
  for (const socket of sockets) socket.destroy()
  silent.close()
})

describeIfFound('redis', installedRedis(), 'a command that runs on', () => {
  test('is waited for when its sandbox closes, then reported', async () => {
    await using vivarium = await openVivarium({ redis: {} })
    const sandbox = await vivarium.openSandbox()
    const wire = await connectWire(vivarium.redis.url)
    const plain = await connectWire(vivarium.redis.serverUrl)
    await plain.command('CLIENT', 'PAUSE', '60000', 'WRITE')
    wire.send('SET', 'a', '1')
    // Answered behind it, by the same gateway: it has the command.
    const other = await connectWire(vivarium.redis.url)
    await other.command('PING')
    const failures = await sandbox.close().then(
      () => undefined,
      (error: SandboxFailures) => error,
    )
    expect(failures?.errors).toMatchObject([{ code: 'COMMAND_STILL_RUNNING', seen: 'SET' }])
    await plain.command('CLIENT', 'UNPAUSE')
    await wire.closed
    for (const one of [plain, other]) one.end()
  })
})
