import { count } from '../core/count.ts'
import { printDifference } from '../core/differences.ts'
import { printShort, printValue } from '../core/print-value.ts'
import { indentText, wrapText } from '../core/wrap-text.ts'
import type { InboxFinding, JudgedMessage } from './findings.ts'
import type { Arrival } from './inbox.ts'
import { saidBy } from './inbox-errors.ts'
import { distanceOf, type MessagePattern } from './message-pattern.ts'

const columns = 80
const mostMessages = 20
const mostDifferences = 5
const longestPayload = 300

/** What was expected, indented. */
export function renderPattern({ expected, topic }: MessagePattern): readonly string[] {
  const onTopic = topic === undefined ? [] : [`  on topic ${printShort(topic, 66)}`]
  return [...indented(describeExpected(expected), '  '), ...onTopic]
}

/** Everything that an inbox holds, a line or two for each message, and how the nearest differs from what was meant. */
export function renderFinding({ name, state, messages }: InboxFinding): readonly string[] {
  const end = renderEnd(state)
  if (messages.length === 0) return [...wrapped(`Nothing has arrived in ${name} since it was opened.`), ...end]
  const nearest = nearestOf(messages)
  const shown = messages.slice(-mostMessages)
  const hidden = messages.length - shown.length
  const hint =
    nearest === undefined || messages.length === 1 ? '' : `, the nearest is ${messages.indexOf(nearest) + 1})`
  return [
    cut(`${name}: ${count(messages.length, 'message')} arrived${hint}`),
    ...(hidden === 0 ? [] : [`  … ${hidden} before these`]),
    ...shown.flatMap((one, index) => [
      ...renderArrival(one.arrival, hidden + index + 1),
      ...(one === nearest ? renderDifferences(one) : []),
    ]),
    ...end,
  ]
}

/** Why nothing more will come, where that is so. */
function renderEnd(state: InboxFinding['state']): readonly string[] {
  if (state.is === 'closed') return ['  It was closed: nothing arrives any more.']
  if (state.is !== 'ended') return []
  return state.error === undefined ? ['  Its source has ended.'] : wrapped(`  Its source broke: ${saidBy(state.error)}`)
}

function renderArrival({ message, owner }: Arrival, number: number): readonly string[] {
  const { topic, text, payload, at } = message
  const head = `  ${number}) ${topic}, ${Math.round(owner.elapsed() - at)} ms ago: `
  // A text is shown as it came, whatever was made of it.
  const words = text === undefined ? printValue(payload, 74) : JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"')
  if (!words.includes('\n') && head.length + words.length <= columns) return [head + words]
  const lines = text === undefined ? words.split('\n') : chunks(words)
  return [cut(head.trimEnd()), ...lines.map((line) => cut(`     ${line}`))]
}

function renderDifferences({ mismatches }: JudgedMessage): readonly string[] {
  const shown = mismatches.slice(0, mostDifferences).flatMap((difference) => {
    if (difference.path === 'predicate') return ['     the function did not return true']
    return indented(printDifference(difference, 74), '     ')
  })
  const more = mismatches.length - mostDifferences
  return more > 0 ? [...shown, `     and ${count(more, 'more difference')}`] : shown
}

/** That of those that do not match which is nearest; of several the last. */
function nearestOf(messages: readonly JudgedMessage[]): JudgedMessage | undefined {
  let nearest: JudgedMessage | undefined
  for (const one of messages) {
    if (one.mismatches.length === 0) continue
    if (nearest === undefined || distanceOf(one.mismatches) <= distanceOf(nearest.mismatches)) nearest = one
  }
  return nearest
}

/** What was meant, as a person would say it. */
function describeExpected(expected: unknown): string {
  if (expected === undefined) return 'any message'
  if (typeof expected === 'function') {
    return `a message for which this is true: ${String(expected).replaceAll(/\s+/g, ' ').slice(0, 44)}`
  }
  return expected instanceof RegExp ? `a text that matches ${String(expected)}` : printValue(expected, 74)
}

function chunks(text: string): readonly string[] {
  const short = text.length <= longestPayload ? text : `${text.slice(0, longestPayload - 1)}…`
  return short.match(/.{1,75}/gs) ?? ['']
}

function indented(text: string, indent: string): readonly string[] {
  return indentText(text, indent).split('\n').map(cut)
}

function wrapped(text: string): readonly string[] {
  return wrapText(text).split('\n')
}

function cut(line: string): string {
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`
}
