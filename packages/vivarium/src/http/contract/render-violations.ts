import { printValue } from '../../core/print-value.ts'
import { indentText, wrapText } from '../../core/wrap-text.ts'
import type { Violation } from './types.ts'

const width = 80
const label = '    value: '

/**
 * Violations as a person reads them, in at most 80 columns: the place in the message and what is wrong there, the value, the rule
 * and its place in the document.
 *
 * @example
 * ```text
 * request body /amount: must be an integer, is a string
 *     value: '100.00'
 *     rule:  type at #/components/schemas/Charge/properties/amount/type
 * ```
 */
export function renderViolations(violations: readonly Violation[]): string {
  return violations.map(renderViolation).join('\n')
}

function renderViolation({ side, part, pointer, rule, ruleAt, value, message }: Violation): string {
  const place = `${side} ${part}${pointer === '' ? '' : ` ${pointer}`}`
  const lines = [wrapText(`${place}: ${message.replaceAll(/\s+/g, ' ')}`)]
  if (value !== undefined) lines.push(labelled(label, printValue(value, width - label.length)))
  lines.push(labelled('    rule:  ', brokenPointer(`${rule} at #${ruleAt}`, width - label.length)))
  return lines.join('\n')
}

function labelled(first: string, text: string): string {
  return first + indentText(text, ' '.repeat(first.length)).trimStart()
}

/** A pointer over several lines, broken before a slash. */
function brokenPointer(text: string, room: number): string {
  if (text.length <= room) return text
  const slash = text.lastIndexOf('/', room)
  const cut = slash > 0 ? slash : room
  return `${text.slice(0, cut)}\n${brokenPointer(text.slice(cut), room)}`
}
