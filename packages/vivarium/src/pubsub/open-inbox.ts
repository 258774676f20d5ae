import { millisecondsAt, objectAt, refuseUnknownKeys } from '../core/options.ts'
import type { MessageSource } from '../core/message-source.ts'
import { findOwner } from '../core/owner.ts'
import { type Inbox, type OpenInboxOptions, SandboxInbox } from './inbox.ts'
import { noSandbox } from './inbox-errors.ts'

/**
 * Opens an inbox on a source. Resolves when the subscription stands, so that nothing that is published from now on is missed. The inbox
 * belongs to the current sandbox and is closed with it. Rejects with `NO_SANDBOX`, `INBOX_NOT_OPENED`.
 *
 * @example
 * ```ts
 * import { expect, test } from 'vitest'
 * import { openInbox } from 'vivarium/pubsub'
 * import { redisChannels } from 'vivarium/redis'
 *
 * async function notify(userId: number): Promise<void> {
 *   // … the application publishes …
 * }
 *
 * test('a user is notified', async () => {
 *   const inbox = await openInbox(redisChannels('notifications:1'))
 *   await notify(1)
 *   await expect(inbox).toReceive({ type: 'new_notification' }, { within: 1000 })
 *   await expect(inbox).toReceiveNothing()
 * })
 * ```
 */
export async function openInbox(source: MessageSource, options: OpenInboxOptions = {}): Promise<Inbox> {
  refuseUnknownKeys(objectAt(options, '', 'openInbox()'), ['name', 'decode', 'within'], '', 'openInbox()')
  const within = millisecondsAt(options.within, 'within', 'openInbox()') ?? 10_000
  const owner = findOwner()
  if (owner === undefined) throw noSandbox(source.name)
  owner.assertOpen(`open an inbox on ${source.name}`)
  const inbox = new SandboxInbox(owner, source, options)
  owner.own(`the inbox on ${inbox.name}`, () => inbox.close())
  await inbox.open(within)
  return inbox
}
