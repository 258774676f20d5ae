import type { ObservedMail } from '../core/interactions.ts'
import type { ValueMatcher } from '../core/print-value.ts'

/** What a text must be: equal, matched by a regular expression or by a matcher; `undefined`: there must be none. */
export type TextPattern = string | RegExp | ValueMatcher | undefined

/** One of them stands for "this is among them"; a list for "exactly these, in any order". */
export type ManyPatterns<P> = P | readonly P[]

/** What an attachment must be; what is left out may be anything. */
export interface AttachmentPattern {
  name?: TextPattern
  type?: TextPattern
  /** Bytes; or a text, which is compared with them as UTF-8. */
  content?: Uint8Array | TextPattern
  cid?: TextPattern
  inline?: boolean
}

/**
 * What a mail must be; what is left out may be anything. An address is written as `ada@example.com`, whatever name stands beside it, or
 * as `Ada <ada@example.com>`.
 */
export interface MailPattern {
  from?: TextPattern
  to?: ManyPatterns<TextPattern>
  cc?: ManyPatterns<TextPattern>
  bcc?: ManyPatterns<TextPattern>
  replyTo?: ManyPatterns<TextPattern>
  subject?: TextPattern
  text?: TextPattern
  html?: TextPattern
  /** By name, in any case. */
  headers?: Readonly<Record<string, TextPattern>>
  attachments?: ManyPatterns<AttachmentPattern>
  links?: ManyPatterns<TextPattern>
}

/** Which mails are meant: a pattern, or a function that says so. */
export type MailExpectation = MailPattern | ((mail: ObservedMail) => boolean)

/** The names of a {@link MailPattern}. */
export const mailFields: readonly (keyof MailPattern)[] = [
  'from',
  'to',
  'cc',
  'bcc',
  'replyTo',
  'subject',
  'text',
  'html',
  'headers',
  'attachments',
  'links',
]

/** The names of an {@link AttachmentPattern}. */
export const attachmentFields: readonly (keyof AttachmentPattern)[] = ['name', 'type', 'content', 'cid', 'inline']
