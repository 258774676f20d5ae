import type { MailAttachment, ObservedMail } from '../core/interactions.ts'
import { printShort } from '../core/print-value.ts'
import type { MailExpectation } from './mail-pattern.ts'
import { type FieldMismatch, formatAddress } from './match-mail.ts'

const columns = 80
const shownMails = 10

/** A text on one line, cut to `most` characters. */
export function shorten(text: string, most: number): string {
  const line = text.trim().replaceAll(/\s*\n\s*/g, ' ⏎ ')
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`
}

/** What was expected, a line for each field, indented. */
export function renderExpectation(expected: MailExpectation | undefined): readonly string[] {
  if (typeof expected === 'function') return [cut(`  a mail for which this is true: ${shorten(String(expected), 60)}`)]
  const fields = Object.entries(expected ?? {})
  if (fields.length === 0) return ['  any mail']
  const width = Math.max(...fields.map(([name]) => name.length))
  return fields.map(([name, value]) => cut(`  ${name.padEnd(width)}  ${show(value)}`))
}

/** The mails and, of each, what is not as expected. */
export function renderMails(
  mails: readonly { readonly mail: ObservedMail; readonly mismatches: readonly FieldMismatch[] }[],
): readonly string[] {
  const lines = mails
    .slice(0, shownMails)
    .flatMap(({ mail, mismatches }, index) => [
      cut(`  ${index + 1}) ${describeMail(mail)}`),
      ...mismatches.flatMap(renderMismatch),
    ])
  return mails.length > shownMails ? [...lines, `  … and ${mails.length - shownMails} more`] : lines
}

/** A mail in one line: `'Welcome' to ada@example.com`. */
export function describeMail({ envelope, subject }: Pick<ObservedMail, 'envelope' | 'subject'>): string {
  return `${printShort(subject, 34)} to ${shorten(envelope.to.join(', '), 36)}`
}

function renderMismatch({ field, expected, received }: FieldMismatch): readonly string[] {
  if (field === 'predicate') return ['     the function returned false']
  // Two long texts are shown from where they part.
  const parts = typeof expected === 'string' && typeof received === 'string' ? firstDifference(expected, received) : 0
  const from = Math.max(0, parts - 20)
  return [
    cut(`     ${field}: expected ${show(expected, from)}`),
    cut(`     ${' '.repeat(field.length)}  received ${show(received, from)}`),
  ]
}

function firstDifference(one: string, other: string): number {
  let index = 0
  while (index < one.length && one[index] === other[index]) index++
  return index
}

function show(value: unknown, from: number = 0): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map((one) => show(one)).join(', ')
  if (isAddress(value)) return formatAddress(value)
  if (typeof value === 'string' && from > 0) return printShort(`…${value.slice(from)}`, 60)
  if (isAttachment(value))
    return `${value.name ?? value.cid ?? 'unnamed'} (${value.type}, ${value.content.length} bytes)`
  return printShort(value, 60)
}

function isAttachment(value: unknown): value is MailAttachment {
  return typeof value === 'object' && value !== null && 'type' in value && 'cid' in value && 'inline' in value
}

function isAddress(value: unknown): value is Parameters<typeof formatAddress>[0] {
  return typeof value === 'object' && value !== null && Object.keys(value).toSorted().join() === 'address,name'
}

function cut(line: string): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`
}
