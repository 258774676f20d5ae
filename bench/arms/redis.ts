import { Redis } from 'ioredis'
import { openVivarium } from 'vivarium'
import { timed } from './arm.ts'
import type { OpenArm } from './arm.ts'

const atOnce = 100

/** One Redis server of Vivarium's own: a client through the gateway, in a sandbox, and one directly on it. */
export async function openRedisArm(): Promise<OpenArm> {
  const vivarium = await openVivarium({ redis: {} })
  const client = new Redis(vivarium.redis.url)
  const direct = new Redis(vivarium.redis.serverUrl)
  await direct.set('key', 'value')

  const pipeline = (redis: Redis) => async (): Promise<void> => {
    const commands = redis.pipeline()
    for (let index = 0; index < atOnce; index++) commands.get('key')
    await commands.exec()
  }
  /** The sandbox is opened and closed outside of the measured time. */
  const inSandbox = async (count: number, once: () => Promise<unknown>): Promise<number> => {
    await using _sandbox = await vivarium.openSandbox()
    await client.set('key', 'value')
    return await timed(count, once)
  }
  const test = async (): Promise<void> => {
    await using _sandbox = await vivarium.openSandbox()
    await client.set('key', 'value')
    await client.get('key')
  }
  const pair = async (): Promise<void> => {
    await direct.set('key', 'value')
    await direct.get('key')
  }
  return {
    measures: {
      get: (count) => inSandbox(count, () => client.get('key')),
      'get directly': (count) => timed(count, () => direct.get('key')),
      pipeline: (count) => inSandbox(count, pipeline(client)),
      'pipeline directly': (count) => timed(count, pipeline(direct)),
      'test with Redis': (count) => timed(count, test),
      test: (count) => timed(count, pair),
    },
    close: async () => {
      client.disconnect()
      direct.disconnect()
      await vivarium.close()
    },
  }
}
