/**
 * Mail: what an application sent, looked at and awaited; matchers for a test runner.
 *
 * @module
 */
export { codeIn } from './code-in.ts'
export { mailMatchers, toHaveSentMail, toHaveSentMails } from './matchers.ts'
export type { MailTrace, MatcherResult, SentMailOptions } from './matchers.ts'
export type { ReceivedOptions, SandboxMail } from './mailbox.ts'
export type { AttachmentPattern, MailExpectation, MailPattern, ManyPatterns, TextPattern } from './mail-pattern.ts'
export type { ValueMatcher } from '../core/print-value.ts'
export type { MailEnvironment, MailOptions } from './options.ts'
export type { RejectionKind, RejectMailOptions, SmtpReply } from './rejections.ts'
export type { MailAddress, MailAttachment, ObservedMail } from '../core/interactions.ts'
