import type { Expression } from './expression.ts'
import { rangeBound } from './range-text.ts'
import { matches, likeToRegex } from './text-pattern.ts'

/** What is not known: a value that only the database has, a function that is not understood. */
export const unknown: unique symbol = Symbol('unknown')

/**
 * A value as constraints compare it: texts for dates as well (`2024-01-02`, `2024-01-02T03:04:05.678Z`), lists for arrays. SQL's NULL is `null`.
 */
export type Value = string | number | boolean | null | readonly unknown[] | typeof unknown

/** Reads a column of the row that is judged. */
export type ReadColumn = (name: string) => Value

/** What an expression is for a row: with SQL's logic of NULL, and `unknown` where it cannot be told. */
export function evaluate(expression: Expression, read: ReadColumn): Value {
  switch (expression.kind) {
    case 'column':
      return read(expression.name)
    case 'literal':
      return expression.value
    case 'cast':
      return cast(evaluate(expression.arg, read), expression.type)
    case 'array':
      return expression.args.map((arg) => evaluate(arg, read))
    case 'and':
      return connect(expression.args, read, false)
    case 'or':
      return connect(expression.args, read, true)
    case 'not': {
      const value = evaluate(expression.arg, read)
      return typeof value === 'boolean' ? !value : value
    }
    case 'is': {
      const value = evaluate(expression.arg, read)
      if (value === unknown) return unknown
      return expression.what === 'null' || expression.what === 'unknown'
        ? value === null
        : value === (expression.what === 'true')
    }
    case 'operator':
      return operate(
        expression.name,
        expression.args.map((arg) => evaluate(arg, read)),
      )
    case 'call':
      return call(
        expression.name,
        expression.args.map((arg) => evaluate(arg, read)),
      )
    case 'quantified':
      return quantify(expression, read)
    case 'case': {
      for (const [when, then] of expression.branches) {
        const value = evaluate(when, read)
        if (value === unknown) return unknown
        if (value === true) return evaluate(then, read)
      }
      return evaluate(expression.otherwise, read)
    }
  }
}

/** AND and OR: one value decides, whatever the others are. */
function connect(args: readonly Expression[], read: ReadColumn, decisive: boolean): Value {
  const values = args.map((arg) => evaluate(arg, read))
  if (values.includes(decisive)) return decisive
  if (values.includes(unknown)) return unknown
  return values.includes(null) ? null : !decisive
}

function quantify({ all, name, left, right }: Extract<Expression, { kind: 'quantified' }>, read: ReadColumn): Value {
  const value = evaluate(left, read)
  const list = toList(evaluate(right, read))
  if (list === undefined) return unknown
  const results = list.map((one) => operate(name, [value, one as Value]))
  if (results.includes(!all)) return !all
  if (results.includes(unknown)) return unknown
  return results.includes(null) ? null : all
}

/** An array, also where it is written as a text: `{a,b}`. */
function toList(value: Value): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value
  if (typeof value !== 'string' || !/^\{[^{}]*\}$/.test(value)) return undefined
  return value === '{}'
    ? []
    : value
        .slice(1, -1)
        .split(',')
        .map((one) => one.replaceAll(/^"|"$/g, ''))
}

function cast(value: Value, type: string): Value {
  if (value === null || value === unknown) return value
  if (/^(smallint|integer|bigint|numeric|decimal|real|double precision|money)$/.test(type)) {
    const number = Number(value)
    if (Number.isNaN(number)) return unknown
    return /int/.test(type) ? Math.round(number) : number
  }
  if (type === 'date' && typeof value === 'string') return value.slice(0, 10)
  if (type === 'boolean') return value === true || value === 'true' || value === 't'
  if (/^(text|character varying|bpchar|character|name)$/.test(type)) {
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value
  }
  return type === 'interval' ? unknown : value
}

/** Of two instants, dates are earlier than what has their date and a time. */
function order(left: Value, right: Value): number | undefined {
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right)
  if (typeof left === 'number' || typeof right === 'number') {
    const difference = Number(left) - Number(right)
    return Number.isNaN(difference) ? undefined : Math.sign(difference)
  }
  if (typeof left !== 'string' || typeof right !== 'string') return undefined
  const [one, other] = isDate(left) && isDate(right) ? [instant(left), instant(right)] : [left, right]
  return one < other ? -1 : one > other ? 1 : 0
}

function isDate(text: string): boolean {
  return /^\d{4,}-\d\d-\d\d/.test(text)
}

function instant(text: string): string {
  const [, day = '', time = '00:00:00'] = /^(\d{4,}-\d\d-\d\d)(?:[T ]([\d:.]+))?/.exec(text) ?? []
  return `${day}T${time.includes('.') ? time.replace(/\.?0+$/, '') : time}`
}

const verdicts: Readonly<Record<string, (difference: number) => boolean>> = {
  '=': (difference) => difference === 0,
  '<>': (difference) => difference !== 0,
  '<': (difference) => difference < 0,
  '<=': (difference) => difference <= 0,
  '>': (difference) => difference > 0,
  '>=': (difference) => difference >= 0,
}

/** Real clocks stand between these: whoever runs a test, and for a long time to come. */
const earliestNow = '2025-01-01'
const latestNow = '2090-01-01'
/** The text that stands for the present. */
const present = 'now'

function operate(name: string, [left = unknown, right = unknown]: readonly Value[]): Value {
  if (name === 'is distinct from' || name === 'is not distinct from') {
    if (left === unknown || right === unknown) return unknown
    const same = left === null || right === null ? left === right : order(left, right) === 0
    return same === (name === 'is not distinct from')
  }
  if (left === null || right === null) return null
  if (left === unknown || right === unknown) return unknown
  const verdict = verdicts[name]
  if (verdict !== undefined) {
    const difference = left === present || right === present ? orderToPresent(left, right) : order(left, right)
    return difference === undefined ? unknown : verdict(difference)
  }
  if (typeof left === 'string' && typeof right === 'string' && /^!?~/.test(name)) return match(name, left, right)
  if (Array.isArray(left) || Array.isArray(right)) return compareLists(name, left, right)
  if (name === '||' && typeof left !== 'object' && typeof right !== 'object') return `${String(left)}${String(right)}`
  const [one, other] = [Number(left), Number(right)]
  if (Number.isNaN(one) || Number.isNaN(other) || left === '' || right === '') return unknown
  switch (name) {
    case '+':
      return one + other
    case '-':
      return one - other
    case '*':
      return one * other
    case '/':
      return other === 0 ? unknown : one / other
    case '%':
      return other === 0 ? unknown : one % other
    default:
      return unknown
  }
}

/** Whether one list holds what is in the other. */
function compareLists(name: string, left: Value, right: Value): Value {
  const [one, other] = name === '<@' ? [toList(right), toList(left)] : [toList(left), toList(right)]
  if (one === undefined || other === undefined) return unknown
  if (name === '&&') return other.some((element) => one.includes(element))
  return name === '<@' || name === '@>' ? other.every((element) => one.includes(element)) : unknown
}

function orderToPresent(left: Value, right: Value): number | undefined {
  if (left === right) return 0
  const [other, sign] = left === present ? [right, 1] : [left, -1]
  if (typeof other !== 'string' || !isDate(other)) return undefined
  if (other < earliestNow) return sign
  return other >= latestNow ? -sign : undefined
}

function match(name: string, text: string, written: string): Value {
  const isNot = name.startsWith('!')
  const bare = name.replace('!', '')
  const ignoresCase = bare.endsWith('*')
  const source = bare.startsWith('~~') ? likeToRegex(written) : written
  const found = matches(source, text, ignoresCase)
  return found === undefined ? unknown : found !== isNot
}

/** How many bytes a `bytea` has; `undefined` for another text. */
function bytesIn(text: string): number | undefined {
  return /^\\x([0-9a-f]{2})*$/.test(text) ? (text.length - 2) / 2 : undefined
}

/** Functions that constraints are made of; all but the last few are NULL for NULL. */
const functions: Readonly<Record<string, (...args: never[]) => Value>> = {
  length: (text: string) => bytesIn(text) ?? Array.from(String(text)).length,
  char_length: (text: string) => Array.from(String(text)).length,
  character_length: (text: string) => Array.from(String(text)).length,
  octet_length: (text: string) => bytesIn(text) ?? Buffer.byteLength(String(text)),
  lower: (text: string) => rangeBound(text, 'lower') ?? String(text).toLowerCase(),
  upper: (text: string) => rangeBound(text, 'upper') ?? String(text).toUpperCase(),
  initcap: (text: string) =>
    String(text)
      .toLowerCase()
      .replaceAll(/\b\w/g, (letter) => letter.toUpperCase()),
  isempty: (text: string) => text === 'empty',
  btrim: (text: string) => String(text).trim(),
  trim: (text: string) => String(text).trim(),
  ltrim: (text: string) => String(text).trimStart(),
  rtrim: (text: string) => String(text).trimEnd(),
  abs: (number: number) => Math.abs(Number(number)),
  floor: (number: number) => Math.floor(Number(number)),
  ceil: (number: number) => Math.ceil(Number(number)),
  round: (number: number) => Math.round(Number(number)),
  mod: (number: number, by: number) => Number(number) % Number(by),
  cardinality: (list: readonly unknown[]) => (Array.isArray(list) ? list.length : unknown),
  array_length: (list: readonly unknown[]) =>
    Array.isArray(list) ? (list.length === 0 ? null : list.length) : unknown,
  strpos: (text: string, part: string) => String(text).indexOf(String(part)) + 1,
  position: (text: string, part: string) => String(text).indexOf(String(part)) + 1,
  starts_with: (text: string, part: string) => String(text).startsWith(String(part)),
  left: (text: string, count: number) => String(text).slice(0, count),
  right: (text: string, count: number) => (count === 0 ? '' : String(text).slice(-count)),
  extract: (field: string, date: string) => extract(field, date),
  date_part: (field: string, date: string) => extract(field, date),
  date_trunc: (field: string, date: string) => truncate(field, date),
  timezone: (_zone: string, date: string) => date,
}

const ofPresent: ReadonlySet<string> = new Set([
  'now',
  'current_date',
  'transaction_timestamp',
  'statement_timestamp',
  'clock_timestamp',
])
const ofNulls: ReadonlySet<string> = new Set(['coalesce', 'num_nonnulls', 'num_nulls', 'nullif', 'greatest', 'least'])

/** Whether the function can be evaluated here. */
export function isKnownFunction(name: string): boolean {
  return name in functions || ofPresent.has(name) || ofNulls.has(name)
}

function call(name: string, args: readonly Value[]): Value {
  if (ofPresent.has(name)) return present
  switch (name) {
    case 'coalesce': {
      const first = args.find((arg) => arg !== null)
      return first ?? null
    }
    case 'num_nonnulls':
      return args.includes(unknown) ? unknown : args.filter((arg) => arg !== null).length
    case 'num_nulls':
      return args.includes(unknown) ? unknown : args.filter((arg) => arg === null).length
    case 'nullif':
      return args.includes(unknown) ? unknown : order(args[0] ?? null, args[1] ?? null) === 0 ? null : (args[0] ?? null)
    case 'greatest':
    case 'least': {
      const known = args.filter((arg) => arg !== null)
      if (known.includes(unknown)) return unknown
      const sorted = known.toSorted((one, other) => order(one, other) ?? 0)
      return (name === 'least' ? sorted[0] : sorted.at(-1)) ?? null
    }
  }
  if (args.includes(unknown)) return unknown
  if (args.includes(null)) return null
  const known = functions[name]
  return known === undefined || args.includes(present) ? unknown : known(...(args as never[]))
}

function extract(field: string, date: string): Value {
  if (!isDate(date)) return unknown
  const [year = 0, month = 0, day = 0] = date.slice(0, 10).split('-').map(Number)
  if (field === 'year') return year
  if (field === 'month') return month
  if (field === 'day') return day
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay()
  if (field === 'dow') return weekday
  if (field === 'isodow') return weekday === 0 ? 7 : weekday
  const [, hours, minutes, seconds] = /[T ](\d\d):(\d\d)(?::([\d.]+))?/.exec(date) ?? []
  const part = { hour: hours, minute: minutes, second: seconds }[field]
  return part === undefined ? (field in { hour: 0, minute: 0, second: 0 } ? 0 : unknown) : Number(part)
}

function truncate(field: string, date: string): Value {
  const length = { year: 4, month: 7, day: 10 }[field]
  if (length === undefined || !isDate(date)) return unknown
  return date.slice(0, length).padEnd(10, '-01-01'.slice(-(10 - length)))
}
