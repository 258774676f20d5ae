import { count } from '../core/count.ts'
import { VivariumError } from '../core/errors.ts'
import type { ObservedMail, Trace } from '../core/interactions.ts'
import type { MailExpectation } from './mail-pattern.ts'
import { checkExpectation, type FieldMismatch, mismatchesOf } from './match-mail.ts'
import { renderExpectation, renderMails } from './render.ts'

/** What was looked for in a trace's mails, and what was found. Plain data. */
export interface SentMail {
  readonly expected: MailExpectation | undefined
  readonly matching: readonly ObservedMail[]
  /** Those that do not match, with every reason. */
  readonly others: readonly { readonly mail: ObservedMail; readonly mismatches: readonly FieldMismatch[] }[]
}

/** Looks at every mail of a trace; takes none away. */
export function findSentMail(mails: readonly ObservedMail[], expected: MailExpectation | undefined): SentMail {
  const seen = mails.map((mail) => ({ mail, mismatches: mismatchesOf(mail, expected) }))
  return {
    expected,
    matching: seen.filter(({ mismatches }) => mismatches.length === 0).map(({ mail }) => mail),
    others: seen.filter(({ mismatches }) => mismatches.length > 0),
  }
}

/** The mails of what an assertion was given; throws `NOT_A_TRACE` when that has none. */
export function mailsOf(trace: unknown, matcher: string, expected?: MailExpectation): readonly ObservedMail[] {
  const { mails } = (trace ?? {}) as Partial<Trace>
  if (!Array.isArray(mails)) {
    throw new VivariumError('NOT_A_TRACE', {
      what: `${matcher}() was given something that has no mails.`,
      seen: typeof trace === 'object' ? `an object with: ${Object.keys(trace ?? {}).join(', ')}` : typeof trace,
      remedy: 'Give expect() a sandbox (`currentSandbox()`), or what `observe` resolved to.',
    })
  }
  checkExpectation(expected, `${matcher}()`)
  return mails as readonly ObservedMail[]
}

/** Why an assertion about a mail failed, in lines of at most 80 columns. */
export function renderSentMail(headline: string, { expected, matching, others }: SentMail): string {
  const lines = [headline, '', 'Expected:', ...renderExpectation(expected), '']
  if (matching.length > 0)
    lines.push(
      `${count(matching.length, 'mail')} matched:`,
      ...renderMails(matching.map((mail) => ({ mail, mismatches: [] }))),
    )
  if (others.length > 0) lines.push(`${count(others.length, 'mail')} did not match:`, ...renderMails(others))
  if (matching.length + others.length === 0) lines.push('No mail was sent.')
  return lines.join('\n')
}

/** The same where every mail counts. */
export function renderAll(headline: string, { matching }: SentMail): string {
  return [headline, ...renderMails(matching.map((mail) => ({ mail, mismatches: [] })))].join('\n')
}
