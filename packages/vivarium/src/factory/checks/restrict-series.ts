import type { Column } from '../catalogue/catalogue.ts'
import { cycle, endless } from '../values/value-series.ts'
import type { ValueSeries } from '../values/value-series.ts'
import { writeValue } from '../values/write-value.ts'
import { bareType, comparable, isNumeric } from './comparable.ts'
import { evaluate, unknown } from './evaluate.ts'
import { literalsIn, partsOf } from './expression.ts'
import { neighboursOf } from './neighbours.ts'
import { likeToRegex, patternSeries } from './text-pattern.ts'
import type { Rule } from './table-rules.ts'

/** A series is trusted when these of its values are admitted. */
const probes = [1, 2, 3, 5, 9, 26, 100]
/** A series with no more values than these is looked through. */
const few = 3000

/** Of the values that a column may have, those that its own rules admit; `undefined` where none was found. */
export function restrictSeries(column: Column, natural: ValueSeries, rules: readonly Rule[]): ValueSeries | undefined {
  if (rules.length === 0) return natural
  const admits = (value: unknown): boolean => isAdmitted(column, value, rules)
  for (const series of candidates(column, natural, rules)) {
    if (series.size <= few) {
      const admitted = Array.from({ length: series.size }, (_, index) => series.at(index + 1)).filter(admits)
      if (admitted.length > 0) return cycle(admitted)
    } else if (probes.every((number) => admits(series.at(number)))) return series
  }
  return sifted(natural, admits)
}

/** Whether no rule is false of the value, and the type can hold it. */
export function isAdmitted(column: Column, value: unknown, rules: readonly Rule[]): boolean {
  if (value !== null && !('text' in writeValue(column.type, value))) return false
  const read = comparable(column.type, value)
  return rules.every(
    ({ expression }) => evaluate(expression, (name) => (name === column.name ? read : unknown)) !== false,
  )
}

/** Leaves out what is not admitted, where enough remains. */
function sifted(series: ValueSeries, admits: (value: unknown) => boolean): ValueSeries | undefined {
  const found: unknown[] = []
  for (let number = 1; number <= Math.min(few, series.size); number++) {
    const value = series.at(number)
    if (admits(value)) found.push(value)
  }
  return found.length === 0 ? undefined : cycle(found)
}

function* candidates(column: Column, natural: ValueSeries, rules: readonly Rule[]): Generator<ValueSeries> {
  yield natural
  const literals = rules.flatMap(({ expression }) => [...literalsIn(expression)])
  const type = bareType(column.type)
  if (type.kind === 'enum') return
  if (namesValues(rules)) yield cycle([...new Set(literals)].map((literal) => asValue(column, literal)))
  if (type.kind === 'array') yield* lists(natural, literals)
  if (isNumeric(column.type)) yield* numberSeries(column, literals)
  else if (/^(date|timestamp|timestamptz)$/.test(type.name)) yield* dateSeries(type.name, literals)
  else if (type.name === 'bytea') yield* bytes(literals)
  else yield* textCandidates(column, natural, literals, rules)
}

/** Whether a rule says which values there are: `= ANY (…)`, `=`. */
function namesValues(rules: readonly Rule[]): boolean {
  return rules.some(({ expression }) =>
    [...partsOf(expression)].some((one) => (one.kind === 'operator' || one.kind === 'quantified') && one.name === '='),
  )
}

function asValue(column: Column, literal: string | number | boolean): unknown {
  if (isNumeric(column.type)) return Number(literal)
  return literal
}

function* lists(natural: ValueSeries, literals: readonly unknown[]): Generator<ValueSeries> {
  const texts = literals.filter((literal) => typeof literal === 'string')
  if (texts.length > 0) yield cycle(texts.map((text) => [text]))
  for (const length of literals.filter((literal) => typeof literal === 'number')) {
    yield endless((number) =>
      Array.from({ length }, (_, index) => (natural.at(number + index) as readonly unknown[])[0]),
    )
  }
}

function* bytes(literals: readonly unknown[]): Generator<ValueSeries> {
  for (const length of literals.filter((literal) => typeof literal === 'number')) {
    yield endless((number) =>
      Buffer.from(
        number
          .toString(16)
          .padStart(length * 2, '0')
          .slice(-length * 2),
        'hex',
      ),
    )
  }
}

/** Numbers within each pair of bounds that the rules may mean. */
function* numberSeries(column: Column, literals: readonly unknown[]): Generator<ValueSeries> {
  const isWhole = /^int|^oid/.test(bareType(column.type).name)
  const unit = isWhole ? 1 : 10 ** -(column.scale ?? 2)
  const bounds = [...new Set(literals.map(Number).filter((number) => !Number.isNaN(number)))].toSorted(
    (one, other) => one - other,
  )
  const step = (from: number, to: number): ValueSeries => {
    // In whole numbers where there is room for them.
    const by = to - from >= 20 ? 1 : unit
    const size = Math.floor((to - from) / by) + 1
    const digits = Math.max(0, -Math.floor(Math.log10(by)))
    return { size, at: (number) => Number((from + ((number - 1) % size) * by).toFixed(digits)) }
  }
  const most = isWhole && bareType(column.type).name === 'int2' ? 32_767 : 2 ** 31 - 1
  const highest = column.precision === undefined ? most : 10 ** (column.precision - (column.scale ?? 0)) - 1
  for (const [index, bound] of bounds.entries()) {
    for (const other of bounds.slice(index + 1).toReversed()) {
      yield step(Math.ceil(bound / unit) * unit + unit, other - unit)
      yield step(bound, other)
    }
  }
  for (const bound of bounds.toReversed()) {
    if (bound < highest) yield step(bound + (highest - bound > 1 ? 1 : unit), highest)
    yield step(bound, highest)
  }
  for (const bound of bounds) {
    const endlessly = (number: number): number => bound - number
    if (isWhole) yield endless(endlessly)
    yield step(bound - 1000 * unit, bound - unit)
    yield step(bound, bound)
  }
}

function* dateSeries(type: string, literals: readonly unknown[]): Generator<ValueSeries> {
  const days = literals.filter((literal) => typeof literal === 'string' && /^\d{4}-\d\d-\d\d/.test(literal)) as string[]
  const value = (time: number): unknown =>
    type === 'date' ? new Date(time).toISOString().slice(0, 10) : new Date(time)
  const day = 86_400_000
  const starts = days.map((text) => Date.parse(`${text.slice(0, 10)}T00:00:00Z`)).filter((time) => !Number.isNaN(time))
  const sorted = starts.toSorted((one, other) => one - other)
  // A day further in where there is room: bounds are printed in the session's own zone.
  for (const start of sorted) {
    const next = sorted.find((other) => other > start)
    const room = next === undefined ? Infinity : Math.floor((next - start) / day)
    if (type === 'date')
      yield {
        size: Math.min(room, 20_000),
        at: (number) => value(start + ((number - 1) % Math.min(room, 20_000)) * day),
      }
    else {
      const minutes = room === Infinity ? 1_000_000 : Math.max(1, room - 2) * 1440
      const offset = room > 2 ? day : 0
      yield { size: minutes, at: (number) => value(start + offset + ((number - 1) % minutes) * 60_000) }
    }
  }
  for (const start of sorted) yield endless((number) => value(start - number * day))
  // What must be after the present.
  const future = Date.UTC(2100, 0, 1)
  yield endless((number) => value(future + number * (type === 'date' ? day : 60_000)))
}

function* textCandidates(
  column: Column,
  natural: ValueSeries,
  literals: readonly (string | number | boolean)[],
  rules: readonly Rule[],
): Generator<ValueSeries> {
  const text = (change: (text: string, number: number) => string): ValueSeries => ({
    size: natural.size,
    at: (number) => change(String(natural.at(number)), number),
  })
  yield text((one) => one.toUpperCase())
  yield text((one) => one.toLowerCase())
  yield text((one) => one.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'))
  yield text((one) => one.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_'))
  for (const { expression } of rules) {
    for (const part of partsOf(expression)) {
      if (part.kind !== 'operator' && part.kind !== 'quantified') continue
      const name = part.name
      if (!name.startsWith('~')) continue
      for (const source of literalsIn(part)) {
        if (typeof source !== 'string') continue
        const series = patternSeries(name.startsWith('~~') ? likeToRegex(source) : source)
        if (series !== undefined) yield series
      }
    }
  }
  const lengths = literals.filter(
    (literal): literal is number => typeof literal === 'number' && literal >= 0 && literal < 10_000,
  )
  for (const length of lengths.flatMap((one) => [one, one + 1, one - 1])) {
    if (length < 1 || length > (column.length ?? Infinity)) continue
    yield text((one, number) =>
      one.length >= length
        ? `${one.slice(0, Math.max(0, length - 6))}${String(number).padStart(Math.min(6, length), '0')}`.slice(-length)
        : one.padEnd(length, 'x'),
    )
    yield endless((number) => number.toString(36).toUpperCase().padStart(length, 'A'))
    yield endless((number) => String(number).padStart(length, '0'))
  }
  for (const literal of literals) for (const near of neighboursOf(column.type, literal)) yield cycle([near])
}
