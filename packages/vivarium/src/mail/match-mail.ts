import type { MailAddress, MailAttachment, ObservedMail } from '../core/interactions.ts'
import { refuseUnknownKeys } from '../core/options.ts'
import { isMatcher } from '../core/print-value.ts'
import {
  attachmentFields,
  type AttachmentPattern,
  type MailExpectation,
  mailFields,
  type ManyPatterns,
  type TextPattern,
} from './mail-pattern.ts'

/** One reason why a mail is not what was expected. Values, not texts: they are rendered where they are shown. */
export interface FieldMismatch {
  /** `subject`, `headers.x-campaign`; `predicate` for a function. */
  readonly field: string
  readonly expected: unknown
  readonly received: unknown
}

/** Throws `CONFIG_INVALID` for a name that no mail has: it would match nothing, or be overlooked. */
export function checkExpectation(expected: MailExpectation | undefined, source: string): void {
  if (expected === undefined || typeof expected === 'function') return
  refuseUnknownKeys(expected, mailFields, '', source)
  for (const attachment of [expected.attachments ?? []].flat())
    refuseUnknownKeys(attachment, attachmentFields, 'attachments', source)
}

/** Every reason why `mail` is not the expected one; none when it is. */
export function mismatchesOf(mail: ObservedMail, expected: MailExpectation | undefined): readonly FieldMismatch[] {
  if (expected === undefined) return []
  if (typeof expected === 'function')
    return expected(mail) ? [] : [{ field: 'predicate', expected: true, received: false }]
  return mailFields.flatMap((field): readonly FieldMismatch[] => {
    if (!Object.hasOwn(expected, field)) return []
    switch (field) {
      case 'from':
        return one(field, expected.from, mail.from, matchesAddress)
      case 'to':
      case 'cc':
      case 'bcc':
      case 'replyTo':
        return many(field, expected[field], mail[field], matchesAddress)
      case 'subject':
      case 'text':
      case 'html':
        return one(field, expected[field], mail[field], matchesText)
      case 'headers':
        return Object.entries(expected.headers ?? {}).flatMap(([name, wanted]) =>
          one(`headers.${name.toLowerCase()}`, wanted, mail.headers[name.toLowerCase()], matchesText),
        )
      case 'attachments':
        return many(field, expected.attachments, mail.attachments, matchesAttachment)
      case 'links':
        return many(field, expected.links, mail.links, matchesText)
    }
  })
}

/** An address as a header shows it. */
export function formatAddress({ name, address }: MailAddress): string {
  return name === undefined ? address : `${name} <${address}>`
}

type Matches<P, A> = (wanted: P, actual: A) => boolean

function one<P, A>(field: string, wanted: P, actual: A | undefined, matches: Matches<P, A>): readonly FieldMismatch[] {
  const isRight = wanted === undefined || actual === undefined ? wanted === actual : matches(wanted, actual)
  return isRight ? [] : [{ field, expected: wanted, received: actual }]
}

function many<P, A>(
  field: string,
  wanted: ManyPatterns<P> | undefined,
  actual: readonly A[],
  matches: Matches<P, A>,
): readonly FieldMismatch[] {
  const isList = Array.isArray as (value: ManyPatterns<P> | undefined) => value is readonly P[]
  const isRight =
    wanted === undefined
      ? actual.length === 0
      : isList(wanted)
        ? wanted.length === actual.length && pairsUp(wanted, actual, matches)
        : actual.some((candidate) => matches(wanted, candidate))
  return isRight ? [] : [{ field, expected: wanted, received: actual }]
}

/** Every pattern has a value of its own, whatever the order of both. */
function pairsUp<P, A>(wanted: readonly P[], actual: readonly A[], matches: Matches<P, A>): boolean {
  const takenBy = new Map<A, P>()
  const place = (pattern: P, tried: Set<A>): boolean =>
    actual.some((candidate) => {
      if (tried.has(candidate) || !matches(pattern, candidate)) return false
      tried.add(candidate)
      const other = takenBy.get(candidate)
      // Whoever has it may be content with another one (augmenting paths).
      if (takenBy.has(candidate) && !place(other as P, tried)) return false
      takenBy.set(candidate, pattern)
      return true
    })
  return wanted.every((pattern) => place(pattern, new Set()))
}

function matchesAddress(wanted: TextPattern, actual: MailAddress): boolean {
  if (typeof wanted !== 'string')
    return matchesText(wanted, actual.address) || matchesText(wanted, formatAddress(actual))
  // The part before the @ may tell capitals apart, but no server in use does.
  return wanted.toLowerCase() === actual.address.toLowerCase() || wanted === formatAddress(actual)
}

function matchesAttachment(wanted: AttachmentPattern, actual: MailAttachment): boolean {
  return attachmentFields.every((field) => {
    if (!Object.hasOwn(wanted, field)) return true
    if (field === 'inline') return wanted.inline === undefined || wanted.inline === actual.inline
    if (field !== 'content') return one(field, wanted[field], actual[field], matchesText).length === 0
    const { content } = wanted
    if (content instanceof Uint8Array) return Buffer.compare(content, actual.content) === 0
    if (isMatcher(content)) return content.asymmetricMatch(actual.content)
    return content === undefined || matchesText(content, Buffer.from(actual.content).toString('utf8'))
  })
}

function matchesText(wanted: TextPattern, actual: string): boolean {
  if (wanted instanceof RegExp) return actual.search(wanted) >= 0
  if (isMatcher(wanted)) return wanted.asymmetricMatch(actual)
  return wanted === actual
}
