import { EventEmitter, on } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe } from 'vitest'
import { openVivarium, type Vivarium } from '../../../src/index.ts'
import { pgChannels } from '../../../src/pg/index.ts'
import { fromEmitter, fromEventStream, fromEventTarget, fromIterable } from '../../../src/pubsub/index.ts'
import { redisChannels, redisPatterns } from '../../../src/redis/index.ts'
import { describeIfFound, installedRedis } from '../../support/require.ts'
import { connectWire } from '../../support/resp-wire.ts'
import { useSandboxes } from '../../support/sandboxes.ts'
import { migrations } from '../../support/plain-server.ts'
import { connect } from '../../support/wire.ts'
import { describeSource, type SourceDriver } from './source-suite.ts'

const sandboxes = await useSandboxes()

/** A driver of what is in this process only. */
function inProcess(start: SourceDriver['start'], canBreak = false): SourceDriver {
  return { canBreak, openSandbox: (options) => sandboxes.open(options), start }
}

const nothingToEnd = async (): Promise<void> => undefined

describeSource(
  'EventEmitter',
  inProcess(async () => {
    const emitter = new EventEmitter()
    return {
      source: () => fromEmitter(emitter, 'one', 'two'),
      publish: (topic, text) => emitter.emit(topic, text),
      breakOff: nothingToEnd,
      [Symbol.asyncDispose]: nothingToEnd,
    }
  }),
)

describeSource(
  'EventTarget',
  inProcess(async () => {
    const target = new EventTarget()
    return {
      source: () => fromEventTarget(target, 'one', 'two'),
      publish: (topic, text) => target.dispatchEvent(new CustomEvent(topic, { detail: text })),
      breakOff: nothingToEnd,
      [Symbol.asyncDispose]: nothingToEnd,
    }
  }),
)

describeSource(
  'async iterable',
  inProcess(async () => {
    const emitter = new EventEmitter()
    async function* values(): AsyncGenerator<readonly [topic: string, text: string]> {
      for await (const [value] of on(emitter, 'value')) yield value as [string, string]
    }
    return {
      source: () => fromIterable(values(), { topic: ([topic]) => topic, payload: ([, text]) => text }),
      publish: (topic, text) => emitter.emit('value', [topic, text]),
      breakOff: () => emitter.emit('error', new Error('it broke')),
      [Symbol.asyncDispose]: nothingToEnd,
    }
  }, true),
)

describeSource(
  'SSE response',
  inProcess(async () => {
    const open = new Set<ServerResponse>()
    const server = createServer((_, response) => {
      open.add(response)
      response.once('close', () => open.delete(response))
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    })
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return {
      source: async () => fromEventStream(await fetch(url)),
      publish: (topic, text) => {
        for (const response of open) response.write(`event: ${topic}\ndata: ${text}\n\n`)
      },
      breakOff: () => open.forEach((response) => response.destroy()),
      [Symbol.asyncDispose]: async () => {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      },
    }
  }, true),
)

describeIfFound('redis', installedRedis(), 'Redis', () => {
  let vivarium: Vivarium
  beforeAll(async () => {
    vivarium = await openVivarium({ redis: {} })
  })
  afterAll(() => vivarium?.close())

  describe.each([
    ['channels', () => redisChannels('one', 'two')],
    ['patterns', () => redisPatterns('o*', 't[uvw]o')],
  ])('Redis %s', (_, source) => {
    describeSource('as a source', {
      canBreak: true,
      openSandbox: (options) => vivarium.openSandbox(options),
      start: async (sandbox) => {
        const wire = await connectWire(sandbox.redis.url)
        return {
          source,
          publish: (topic, text) => wire.command('PUBLISH', topic, text),
          breakOff: async () => {
            // The server is this run's own.
            const plain = await connectWire(vivarium.redis.serverUrl)
            await plain.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
            plain.end()
          },
          [Symbol.asyncDispose]: async () => wire.end(),
        }
      },
    })
  })
})

describe('Postgres', () => {
  let vivarium: Vivarium
  beforeAll(async () => {
    vivarium = await openVivarium({ postgres: { migrations, isolation: 'database' } })
  })
  afterAll(() => vivarium?.close())

  describeSource('LISTEN', {
    canBreak: true,
    openSandbox: (options) => vivarium.openSandbox(options),
    start: async (sandbox) => {
      const client = await connect(sandbox.postgres.url)
      return {
        source: () => pgChannels('one', 'two'),
        publish: (topic, text) => client.query(`select pg_notify('${topic}', $$${text}$$)`),
        breakOff: () =>
          client.query(`select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()`),
        [Symbol.asyncDispose]: () => client.end(),
      }
    },
  })
})
