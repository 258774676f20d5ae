import type { MailExpectation } from '../mail/mail-pattern.ts'
import type { SentMailOptions } from '../mail/matchers.ts'
import type { ReceiveInOrderOptions, ReceiveNothingOptions, ReceiveOptions } from '../pubsub/matcher-options.ts'
import type { MessageExpectation } from '../pubsub/message-pattern.ts'
import type { KeyPattern } from '../redis/cache-uses.ts'
import type { CacheSetOptions, CacheUseOptions } from '../redis/matchers.ts'

declare module 'vitest' {
  // Its parameter must be written as Vitest writes it.
  // oxlint-disable-next-line typescript/no-explicit-any, no-unused-vars
  interface Matchers<T = any> {
    /**
     * For a sandbox, or what `observe` resolved to: a mail of it matches, or exactly `times` do. Nothing is consumed.
     *
     * @example
     * ```ts
     * import { expect } from 'vitest'
     * import { currentSandbox } from 'vivarium'
     * import 'vivarium/vitest'
     *
     * expect(currentSandbox()).toHaveSentMail({ to: 'ada@example.com', subject: /welcome/i }, { times: 1 })
     * expect(currentSandbox()).not.toHaveSentMail({ to: 'grace@example.com' })
     * ```
     */
    toHaveSentMail(expected?: MailExpectation, options?: SentMailOptions): void
    /** For a sandbox, or what `observe` resolved to: exactly so many mails were sent; 0: none. */
    toHaveSentMails(times: number): void
    /**
     * For a sandbox, or what `observe` resolved to: a key was read from the cache and was there, or exactly `times` times.
     *
     * @example
     * ```ts
     * import { expect } from 'vitest'
     * import { currentSandbox } from 'vivarium'
     * import 'vivarium/vitest'
     *
     * async function readUser(): Promise<void> {
     *   // … the application does its work …
     * }
     *
     * const seen = await currentSandbox().observe(readUser)
     * expect(seen).toHaveCacheMiss('user:1')
     * expect(seen).toHaveCacheSet('user:1', { ttlMs: 60_000 })
     * expect(seen).not.toHaveCacheDelete()
     * ```
     */
    toHaveCacheHit(key?: KeyPattern, options?: CacheUseOptions): void
    /** A key was read from the cache and was not there. */
    toHaveCacheMiss(key?: KeyPattern, options?: CacheUseOptions): void
    /** A key was written, `ttlMs` milliseconds to live where that is given. */
    toHaveCacheSet(key?: KeyPattern, options?: CacheSetOptions): void
    /** A key was deleted. */
    toHaveCacheDelete(key?: KeyPattern, options?: CacheUseOptions): void
    /**
     * For an inbox, or several of which each must: a message arrives within a time, or has arrived. It is given by an equal payload, one with
     * matchers in it, a regular expression for its text, or a function of the payload and the message. Must be awaited.
     *
     * @example
     * ```ts
     * import { EventEmitter } from 'node:events'
     * import { expect } from 'vitest'
     * import { fromEmitter, openInbox } from 'vivarium/pubsub'
     * import 'vivarium/vitest'
     *
     * const orders = new EventEmitter()
     * const inbox = await openInbox(fromEmitter(orders, 'paid'))
     * orders.emit('paid', { id: 17, cents: 10_000 })
     * await expect(inbox).toReceive({ id: 17, cents: expect.any(Number) }, { within: 500 })
     * await expect(inbox).toReceiveNothing()
     * ```
     */
    toReceive(expected?: MessageExpectation, options?: ReceiveOptions): Promise<void>
    /** For an inbox, or several: nothing arrives, within a time, that no assertion has accounted for. Must be awaited. */
    toReceiveNothing(options?: ReceiveNothingOptions): Promise<void>
    /** For an inbox, or several: messages arrive one after the other, others may come between them. Must be awaited. */
    toReceiveInOrder(expected: readonly MessageExpectation[], options?: ReceiveInOrderOptions): Promise<void>
  }
}
