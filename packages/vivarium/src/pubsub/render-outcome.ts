import { count } from '../core/count.ts'
import { wrapText } from '../core/wrap-text.ts'
import { matchingIn } from './findings.ts'
import type { InboxOutcome, OrderFinding, WaitEnd } from './judge.ts'
import { renderFinding, renderPattern } from './render-messages.ts'

/** Why an assertion about inboxes failed, in lines of at most 80 columns. */
export function renderOutcome(outcome: InboxOutcome): string {
  switch (outcome.kind) {
    case 'received':
      return 'Messages were received as they should not have been.'
    case 'not received': {
      const patterns = [...new Set(outcome.unmet.map(({ pattern }) => pattern))]
      return render(headlineOf(outcome), [
        'Expected:',
        ...patterns.flatMap(renderPattern),
        '',
        ...outcome.unmet.flatMap(renderFinding),
        ...asExpected(outcome.met),
      ])
    }
    case 'not in order':
      return render(headlineOfOrder(outcome.unmet[0]!, outcome.end), [
        'Expected in this order:',
        ...outcome.unmet[0]!.row.flatMap(({ pattern }) => renderPattern(pattern)),
        '',
        ...outcome.unmet.flatMap(({ row, found }) => renderFinding(row[found.length]!)),
        ...asExpected(outcome.met),
      ])
    case 'heard': {
      const number = outcome.heard.reduce((sum, { messages }) => sum + messages.length, 0)
      const headline = `Expected no such message, and ${number === 1 ? '1 was' : `${number} were`} received.`
      return render(headline, outcome.heard.flatMap(renderFinding))
    }
    case 'silent':
      return render(
        `Nothing that was not accounted for was received within ${outcome.ms} ms.`,
        outcome.findings.flatMap(renderFinding),
      )
  }
}

function headlineOf({ end, times, unmet, met }: Extract<InboxOutcome, { kind: 'not received' }>): string {
  const when = sayEnd(end)
  const asked = unmet.length + met.length
  if (asked > 1)
    return `${unmet.length} of ${asked} received ${times === undefined ? 'no' : `not ${times}`} such message${times === undefined || times === 1 ? '' : 's'}${when}.`
  if (times === undefined) return `No message matched${when}.`
  return `${count(matchingIn(unmet[0]!).length, 'message')} matched${when}, and ${times} should have.`
}

function headlineOfOrder({ row, found }: OrderFinding, end: WaitEnd): string {
  const last = found.at(-1)
  const place = last === undefined ? 0 : row[0]!.messages.findIndex(({ arrival }) => arrival === last) + 1
  const behind = place === 0 ? '' : ` behind message ${place})`
  return `Number ${found.length + 1} of ${row.length} expected messages did not come${behind}${sayEnd(end)}.`
}

function sayEnd(end: WaitEnd): string {
  switch (end.by) {
    case 'deadline':
      return ` within ${end.ms} ms`
    case 'no more will come':
      return ', and no more will come'
    case 'too many':
      return ''
  }
}

function asExpected(names: readonly string[]): readonly string[] {
  return names.length === 0 ? [] : [`As expected: ${names.join(', ')}.`]
}

function render(headline: string, lines: readonly string[]): string {
  return [wrapText(headline), '', ...lines.flatMap((line) => wrapText(line).split('\n'))].join('\n')
}
