import { VivariumError } from '../core/errors.ts'
import type { MessageSource, SourceSandbox } from '../core/message-source.ts'
import { openPostgresClient, ownApplicationName, quoteIdentifier } from './connection/client.ts'
import { parsePostgresUrl } from './connection/target.ts'

/**
 * Channels of the sandbox's database, on which the application sends NOTIFY, as a source of an inbox: each with its name as the topic. In isolation
 * `'database'` only: in `'transaction'` nothing commits, and Postgres delivers a notification at COMMIT.
 *
 * @throws VivariumError NOTIFICATIONS_NOT_DELIVERED when an inbox is opened on it in isolation `'transaction'`.
 *
 * @example
 * ```ts
 * import { Client } from 'pg'
 * import { expect, test } from 'vitest'
 * import { pgChannels } from 'vivarium/pg'
 * import { openInbox } from 'vivarium/pubsub'
 *
 * test('an order is announced', { tags: ['isolation/database'] }, async () => {
 *   const client = new Client({ connectionString: process.env['DATABASE_URL'] })
 *   await client.connect()
 *   const inbox = await openInbox(pgChannels('orders'))
 *   await client.query(`select pg_notify('orders', '{"id":17}')`)
 *   await expect(inbox).toReceive({ id: 17 })
 *   await client.end()
 * })
 * ```
 */
export function pgChannels(...channels: readonly [string, ...string[]]): MessageSource {
  const name = `Postgres channel ${channels.join(', ')}`
  return {
    name,
    // A sandbox inside of it has a database of its own.
    hearsOneSandbox: true,
    open: async ({ sandbox, deliver, ended }) => {
      assertDelivered(sandbox, name)
      // By this name the gateway knows that it is none of the application's.
      const target = parsePostgresUrl(sandbox.postgres.url)
      const parameters = { ...target.parameters, application_name: ownApplicationName }
      const client = await openPostgresClient(
        { ...target, parameters },
        { onNotification: ({ channel, payload }) => deliver({ topic: channel, data: payload }) },
      )
      void client.closed.then((reason) => ended(reason ?? new Error('the connection was closed')))
      try {
        await client.query(channels.map((channel) => `listen ${quoteIdentifier(channel)}`).join('; '))
      } catch (error) {
        await client.close()
        throw error
      }
      return () => client.close()
    },
  }
}

function assertDelivered({ isolation, title }: SourceSandbox, name: string): void {
  if (isolation === 'database') return
  throw new VivariumError('NOTIFICATIONS_NOT_DELIVERED', {
    what: `An inbox on ${name} would receive nothing in sandbox "${title}".`,
    seen: "isolation 'transaction', where nothing commits: Postgres delivers a notification at COMMIT",
    remedy:
      "Run this test in isolation 'database': in Vitest with `{ tags: ['isolation/database'] }`, else with " +
      "`openSandbox({ isolation: 'database' })`.",
  })
}
