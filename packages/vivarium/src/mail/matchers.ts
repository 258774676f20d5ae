import { count } from '../core/count.ts'
import type { Trace } from '../core/interactions.ts'
import type { MailExpectation } from './mail-pattern.ts'
import { findSentMail, mailsOf, renderAll, renderSentMail } from './sent-mail.ts'

/** What an assertion came to: the protocol of `expect.extend` in Vitest and Jest. */
export interface MatcherResult {
  readonly pass: boolean
  message(): string
}

/** Options of `toHaveSentMail`. */
export interface SentMailOptions {
  /** Exactly so many mails must match. @default at least one */
  times?: number
}

/** A trace's mails: a sandbox has them, and an observation. */
export type MailTrace = Pick<Trace, 'mails'>

/** Passes when a mail of the trace matches, or exactly `times` do. Nothing is consumed. */
export function toHaveSentMail(
  trace: MailTrace,
  expected?: MailExpectation,
  { times }: SentMailOptions = {},
): MatcherResult {
  const found = findSentMail(mailsOf(trace, 'toHaveSentMail', expected), expected)
  const { length } = found.matching
  const pass = times === undefined ? length > 0 : length === times
  return {
    pass,
    message: () => {
      if (times === undefined)
        return renderSentMail(pass ? 'A mail was sent that should not have been.' : 'No mail matched.', found)
      const wanted = pass ? `not ${count(times, 'mail')}` : count(times, 'mail')
      return renderSentMail(`${count(length, 'mail')} matched, and ${wanted} should have.`, found)
    },
  }
}

/** Passes when the trace has exactly so many mails; 0: none. */
export function toHaveSentMails(trace: MailTrace, times: number): MatcherResult {
  const found = findSentMail(mailsOf(trace, 'toHaveSentMails'), undefined)
  const { length } = found.matching
  const pass = length === times
  const wanted = `${pass ? 'not ' : ''}${count(times, 'mail')}`
  const seen = length === 0 ? 'none was' : length === 1 ? '1 was' : `${length} were`
  return { pass, message: () => renderAll(`Expected ${wanted}, and ${seen} sent.`, found) }
}

/**
 * The matchers, for `expect.extend`. The Vitest plugin has done it already.
 *
 * @example
 * ```ts
 * import { expect } from 'vitest'
 * import { mailMatchers } from 'vivarium/mail'
 *
 * expect.extend(mailMatchers)
 * ```
 */
export const mailMatchers: Readonly<{
  toHaveSentMail: typeof toHaveSentMail
  toHaveSentMails: typeof toHaveSentMails
}> = { toHaveSentMail, toHaveSentMails }
