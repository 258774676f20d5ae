import type { MailExpectation } from '../mail/mail-pattern.ts'
import type { SentMailOptions } from '../mail/matchers.ts'

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
  }
}
