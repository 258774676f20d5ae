import { randomUUID } from 'node:crypto'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import type { MessageSource } from '../../../src/pubsub/index.ts'
import { natsServer } from '../../support/nats.ts'
import { describeIfFound } from '../../support/require.ts'
import { useSandboxes } from '../../support/sandboxes.ts'
import { describeSource } from './source-suite.ts'

// docs/pubsub.md shows this function: any broker, through its own client.
/** Subjects of NATS, below a prefix that is the test's own. */
function fromNats(connection: NatsConnection, prefix: string, ...subjects: readonly string[]): MessageSource {
  return {
    name: `NATS subject ${subjects.join(', ')}`,
    open: async ({ deliver, ended }) => {
      const subscriptions = subjects.map((subject) =>
        connection.subscribe(`${prefix}.${subject}`, {
          callback: (error, message) => {
            if (error !== null) ended(error)
            else deliver({ topic: message.subject.slice(prefix.length + 1), data: message.data })
          },
        }),
      )
      void connection.closed().then((error) => ended(error ?? new Error('the connection was closed')))
      // The server has answered behind the subscriptions: it has them.
      await connection.flush()
      return () => subscriptions.forEach((subscription) => subscription.unsubscribe())
    },
  }
}

const sandboxes = await useSandboxes()

describeIfFound('nats', await natsServer(), 'a broker through its own client', (servers) => {
  describeSource('NATS', {
    canBreak: true,
    openSandbox: (options) => sandboxes.open(options),
    start: async () => {
      const [connection, publisher] = [await connect({ servers }), await connect({ servers })]
      // NATS has one space of subjects for all: what is apart, is so by its name.
      const prefix = `vivarium-${randomUUID()}`
      return {
        source: () => fromNats(connection, prefix, 'one', 'two'),
        publish: (topic, text) => publisher.publish(`${prefix}.${topic}`, text),
        breakOff: () => connection.close(),
        [Symbol.asyncDispose]: async () => {
          await connection.close()
          await publisher.close()
        },
      }
    },
  })
})
