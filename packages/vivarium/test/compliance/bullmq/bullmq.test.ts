import { once } from 'node:events'
import { type Job, Queue, QueueEvents, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openVivarium, type Sandbox, type Vivarium } from '../../../src/index.ts'
import { startRedisServer } from '../../../src/redis/server/own-server.ts'
import type { RedisServer } from '../../../src/redis/server/redis-server.ts'
import { describeIfFound, installedRedis } from '../../support/require.ts'

/** Adds jobs to the queue "mail", works on them, and says what came of them. */
async function work(sandbox: Sandbox, names: readonly string[]): Promise<{ results: string[]; counts: object }> {
  // BullMQ wants this of the connections that wait for something.
  const connect = (): Redis => new Redis(sandbox.redis.url, { maxRetriesPerRequest: null })
  const connections = [connect(), connect(), connect()] as const
  const queue = new Queue<string, string>('mail', { connection: connections[0] })
  const events = new QueueEvents('mail', { connection: connections[1] })
  await events.waitUntilReady()
  const worker = new Worker<string, string>('mail', async (job: Job<string>) => `${job.data} sent`, {
    connection: connections[2],
  })
  const jobs = await queue.addBulk(names.map((name) => ({ name: 'send', data: name })))
  const delayed = await queue.add('send', 'later', { delay: 50 })
  const results: string[] = []
  for (const job of [...jobs, delayed]) results.push(await job.waitUntilFinished(events, 20_000))
  const counts = await queue.getJobCounts('completed', 'failed', 'waiting', 'active', 'delayed')
  await Promise.all([worker.close(), events.close(), queue.close()])
  for (const connection of connections) {
    const ended = once(connection, 'end')
    connection.disconnect()
    if (connection.status !== 'end') await ended
  }
  return { results, counts }
}

describeIfFound('redis', installedRedis(), 'BullMQ', () => {
  let server: RedisServer
  let vivarium: Vivarium

  beforeAll(async () => {
    server = await startRedisServer()
    vivarium = await openVivarium({ redis: { url: server.url } })
  })
  afterAll(async () => {
    await vivarium?.close()
    await server?.close()
  })

  test('two sandboxes on one server each work on their own jobs of a queue with the same name', async () => {
    const outcomes = await Promise.all(
      [['a', 'b', 'c'], ['x']].map(async (names) => {
        const sandbox = await vivarium.openSandbox({ concurrent: true })
        const outcome = await work(sandbox, names)
        await sandbox.close()
        return outcome
      }),
    )
    const counts = { failed: 0, waiting: 0, active: 0, delayed: 0 }
    expect(outcomes).toEqual([
      { results: ['a sent', 'b sent', 'c sent', 'later sent'], counts: { ...counts, completed: 4 } },
      { results: ['x sent', 'later sent'], counts: { ...counts, completed: 2 } },
    ])
    const plain = new Redis(server.url)
    await vivarium.close()
    expect(await plain.keys('*')).toEqual([])
    await plain.quit()
  })
})
