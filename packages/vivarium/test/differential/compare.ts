import type { Answer, FieldValue } from '../support/wire.ts'
import type { StepAnswers } from './play.ts'
import type { Exclusion } from './script.ts'

/** One difference between what was expected (the plain side) and what was seen (the other side). */
export interface Difference {
  readonly step: string
  readonly message: string
  readonly field: string
  readonly plain: string
  readonly other: string
}

/** What a comparison found, and which exclusions it needed. */
export interface Comparison {
  readonly differences: readonly Difference[]
  readonly used: ReadonlySet<Exclusion>
}

const absent = 'absent'

/** Compares two plays message by message and field by field; a play's missing end is a difference as well. */
export function compare(
  plain: readonly StepAnswers[],
  other: readonly StepAnswers[],
  exclusions: readonly Exclusion[],
): Comparison {
  const found: Difference[] = []
  for (let index = 0; index < Math.max(plain.length, other.length); index += 1) {
    const left = plain[index]
    const right = other[index]
    if (left === undefined || right === undefined) {
      const step = (left ?? right)?.step ?? ''
      found.push({
        step,
        message: 'step',
        field: '',
        plain: left?.step ?? 'not reached',
        other: right?.step ?? 'not reached',
      })
      break
    }
    found.push(...compareAnswers(left.step, left.answers, right.answers))
  }
  const used = new Set<Exclusion>()
  const differences = found.filter((difference) => {
    const exclusion = exclusions.find(
      ({ message, field, whenAbsent = false, step }) =>
        message === difference.message &&
        field === difference.field &&
        (!whenAbsent || difference.other === absent) &&
        (step === undefined || difference.step.startsWith(`step ${step} `)),
    )
    if (exclusion !== undefined) used.add(exclusion)
    return exclusion === undefined
  })
  return { differences, used }
}

function compareAnswers(step: string, plain: readonly Answer[], other: readonly Answer[]): Difference[] {
  for (let index = 0; index < Math.max(plain.length, other.length); index += 1) {
    if (plain[index]?.type === other[index]?.type) continue
    // Once the sequence differs every later pair would differ too: the whole tail is one difference.
    const before = plain.slice(0, index).flatMap((answer, at) => compareFields(step, answer, other[at] as Answer))
    const message = `message ${index + 1}`
    return [...before, { step, message, field: 'type', plain: tail(plain, index), other: tail(other, index) }]
  }
  return plain.flatMap((answer, at) => compareFields(step, answer, other[at] as Answer))
}

function tail(answers: readonly Answer[], from: number): string {
  const shown = answers.slice(from, from + 6).map((answer) => `${answer.type} ${shorten(answer.fields)}`)
  if (answers.length > from + 6) shown.push(`… ${answers.length - from - 6} more`)
  return shown.length === 0 ? '(no further message)' : shown.join(' | ')
}

function compareFields(step: string, plain: Answer, other: Answer): Difference[] {
  const named = flatten(plain.fields)
  const seen = flatten(other.fields)
  const differences: Difference[] = []
  for (const [path, value] of named) {
    if (!seen.has(path)) differences.push(differenceAt(step, plain, path, value, undefined))
    else if (value !== seen.get(path)) differences.push(differenceAt(step, plain, path, value, seen.get(path)))
  }
  for (const [path, value] of seen) {
    if (!named.has(path)) differences.push(differenceAt(step, plain, path, undefined, value))
  }
  return differences
}

function differenceAt(
  step: string,
  answer: Answer,
  path: string,
  plain: string | undefined,
  other: string | undefined,
): Difference {
  // An exclusion names `columns.tableOid`, whichever column it is.
  const field = path.replaceAll(/\.\d+(?=\.|$)/g, '')
  const message = answer.type === 'ParameterStatus' ? `ParameterStatus ${String(answer.fields['name'])}` : answer.type
  return { step, message, field, plain: shorten(plain), other: shorten(other) }
}

/** Leaves as `path → JSON`, so that containers of different lengths differ where they differ. */
function flatten(value: FieldValue, path = ''): Map<string, string> {
  if (value === null || typeof value !== 'object') return new Map([[path, JSON.stringify(value)]])
  const entries = Object.entries(value as Record<string, FieldValue>)
  const leaves = entries.flatMap(([key, inner]) => [...flatten(inner, path === '' ? key : `${path}.${key}`)])
  return new Map(Array.isArray(value) ? [[`${path}.length`, String(entries.length)], ...leaves] : leaves)
}

function shorten(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? absent)
  return text.length > 400 ? `${text.slice(0, 400)}… (${text.length} characters)` : text
}

/** Readable lines, one per difference. */
export function renderDifferences(differences: readonly Difference[]): string {
  return differences
    .map(
      (d) =>
        `${d.step}\n  ${d.message}${d.field === '' ? '' : `.${d.field}`}\n    plain:   ${d.plain}\n    other:   ${d.other}`,
    )
    .join('\n')
}
