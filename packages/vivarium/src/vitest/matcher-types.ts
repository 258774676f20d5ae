import type { MailExpectation } from '../mail/mail-pattern.ts'
import type { SentMailOptions } from '../mail/matchers.ts'
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
  }
}
