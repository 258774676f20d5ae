import { isUint8Array } from 'node:util/types'
import type { ColumnType } from '../catalogue/catalogue.ts'

/** A value does not suit its type. */
export interface Unsuitable {
  /** What the type would take. */
  readonly expected: string
}

/** A value as Postgres reads it from a text, or why it cannot be. `null` is for the caller to judge. */
export type WrittenValue = { readonly text: string } | Unsuitable

/** The text by which Postgres is given `value` for a column of `type`. */
export function writeValue(type: ColumnType, value: unknown): WrittenValue {
  switch (type.kind) {
    case 'enum':
      if (typeof value === 'string' && type.labels.includes(value)) return { text: value }
      return { expected: `one of ${type.labels.map((label) => `'${label}'`).join(', ')}` }
    case 'domain':
      return writeValue(type.base, value)
    case 'array':
      return writeArray(type, value)
    case 'range':
      return writeRange(type, value)
    case 'multirange':
      if (typeof value === 'string') return { text: value }
      if (!Array.isArray(value)) return { expected: `a list of ranges (${type.sql})` }
      return joined(
        value.map((range) => writeValue(type.range, range)),
        (texts) => `{${texts.join(',')}}`,
      )
    case 'composite':
      return writeComposite(type, value)
    case 'base':
      return (writers[type.name] ?? writeOther)(value, type.sql)
  }
}

function joined(parts: readonly WrittenValue[], join: (texts: readonly string[]) => string): WrittenValue {
  const texts: string[] = []
  for (const part of parts) {
    if (!('text' in part)) return part
    texts.push(part.text)
  }
  return { text: join(texts) }
}

function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

function writeArray(type: Extract<ColumnType, { kind: 'array' }>, value: unknown): WrittenValue {
  // A text is taken as Postgres writes an array: {1,2,3}.
  if (typeof value === 'string' && value.startsWith('{')) return { text: value }
  if (!Array.isArray(value)) return { expected: `a list (${type.sql})` }
  const parts = value.map((element: unknown): WrittenValue => {
    if (element === null || element === undefined) return { text: 'NULL' }
    if (Array.isArray(element) && !isJson(type.element)) return writeArray(type, element)
    const written = writeValue(type.element, element)
    return 'text' in written ? { text: quoted(written.text) } : { expected: `a list, each ${written.expected}` }
  })
  return joined(parts, (texts) => `{${texts.join(',')}}`)
}

function isJson({ name }: ColumnType): boolean {
  return name === 'json' || name === 'jsonb'
}

function writeRange(type: Extract<ColumnType, { kind: 'range' }>, value: unknown): WrittenValue {
  const expected = `a range: its text as '[lower,upper)', or [lower, upper] (${type.sql})`
  if (typeof value === 'string') return /^([[(].*[\])]|empty)$/is.test(value.trim()) ? { text: value } : { expected }
  if (!Array.isArray(value) || value.length !== 2) return { expected }
  const bounds = value.map((bound: unknown): WrittenValue => {
    if (bound === null || bound === undefined) return { text: '' }
    const written = writeValue(type.subtype, bound)
    return 'text' in written ? { text: quoted(written.text) } : { expected }
  })
  return joined(bounds, ([lower, upper]) => `[${lower},${upper})`)
}

function writeComposite(type: Extract<ColumnType, { kind: 'composite' }>, value: unknown): WrittenValue {
  if (typeof value === 'string' && value.startsWith('(')) return { text: value }
  const names = type.attributes.map(({ name }) => name)
  const expected = `an object with ${names.join(', ')} (${type.sql})`
  if (typeof value !== 'object' || value === null || Object.keys(value).some((key) => !names.includes(key)))
    return { expected }
  const fields = value as Readonly<Record<string, unknown>>
  const parts = type.attributes.map(({ name, type: part }): WrittenValue => {
    const field = fields[name]
    if (field === null || field === undefined) return { text: '' }
    const written = writeValue(part, field)
    return 'text' in written ? { text: quoted(written.text) } : { expected: `${name}: ${written.expected}` }
  })
  return joined(parts, (texts) => `(${texts.join(',')})`)
}

type Write = (value: unknown, sql: string) => WrittenValue

const integer =
  (least: bigint, most: bigint, takesText: boolean): Write =>
  (value, sql) => {
    const expected = { expected: `a whole number from ${least} to ${most} (${sql})` }
    const isDigits = takesText && typeof value === 'string' && /^-?\d+$/.test(value)
    if (typeof value !== 'bigint' && !Number.isInteger(value) && !isDigits) return expected
    // Most are small, and a bigint for each takes its time.
    if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most)
      return { text: String(value) }
    const whole = BigInt(value as bigint | number | string)
    return whole < least || whole > most ? expected : { text: String(whole) }
  }

const decimal: Write = (value, sql) => {
  if (typeof value === 'number' || typeof value === 'bigint') return { text: String(value) }
  const isNumeral = typeof value === 'string' && /^\s*[-+]?(\d+\.?\d*(e[-+]?\d+)?|\.\d+|NaN|Infinity)\s*$/i.test(value)
  return isNumeral ? { text: value } : { expected: `a number, or its text (${sql})` }
}

/** As Postgres counts: by code points. */
function lengthOf(value: string): number {
  return Array.from(value).length
}

const textOf: Write = (value, sql) => {
  if (typeof value !== 'string') return { expected: `a text (${sql})` }
  if (value.includes('\0')) return { expected: `a text without the character 0 (${sql})` }
  const room = /^(?:character|character varying|char|varchar)\((\d+)\)$/.exec(sql)?.[1]
  // As the server does, blanks that stand too far out are let pass.
  if (room === undefined || lengthOf(value.trimEnd()) <= Number(room)) return { text: value }
  return { expected: `a text of at most ${room} characters (${sql})` }
}

const isValid = (date: Date): boolean => !Number.isNaN(date.getTime())

/** A Date, or a text that begins as one does, or one of the words that Postgres knows. */
const dated =
  (ofDate: (date: Date) => string, expectation: string): Write =>
  (value, sql) => {
    if (value instanceof Date && isValid(value)) return { text: ofDate(value) }
    const isText =
      typeof value === 'string' &&
      /^\s*(\d{1,6}-\d\d?-\d\d?|[-+]?infinity|epoch|now|today|tomorrow|yesterday)/i.test(value)
    return isText ? { text: value } : { expected: `${expectation} (${sql})` }
  }

const two = (number: number): string => String(number).padStart(2, '0')

/** As `pg` does: a column without a zone holds the process's local time. */
const localTime = (date: Date): string =>
  `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
  `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`

const text =
  (pattern: RegExp, expectation: string): Write =>
  (value, sql) =>
    typeof value === 'string' && pattern.test(value) ? { text: value } : { expected: `${expectation} (${sql})` }

const json: Write = (value, sql) => {
  const written = writtenJson(value)
  return written === undefined ? { expected: `a value that JSON can hold (${sql})` } : { text: written }
}

function writtenJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value) as string | undefined
  } catch {
    return undefined
  }
}

const boolean: Write = (value, sql) =>
  typeof value === 'boolean' ? { text: String(value) } : { expected: `true or false (${sql})` }

const bytes: Write = (value, sql) =>
  isUint8Array(value)
    ? { text: `\\x${Buffer.from(value).toString('hex')}` }
    : { expected: `a Buffer or a Uint8Array (${sql})` }

const dateTime = 'a Date, or a text as 2024-12-31 23:59:59'
const timeOfDay = text(/^\s*\d\d?:\d\d/, 'a text as 23:59:59')

const writers: Readonly<Record<string, Write>> = {
  bool: boolean,
  int2: integer(-32_768n, 32_767n, false),
  int4: integer(-2_147_483_648n, 2_147_483_647n, false),
  int8: integer(-(2n ** 63n), 2n ** 63n - 1n, true),
  oid: integer(0n, 2n ** 32n - 1n, false),
  float4: decimal,
  float8: decimal,
  numeric: decimal,
  text: textOf,
  varchar: textOf,
  bpchar: textOf,
  name: textOf,
  citext: textOf,
  uuid: text(/^\{?[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?$/i, 'a text as 123e4567-e89b-42d3-a456-426614174000'),
  date: dated((date) => date.toISOString().slice(0, 10), 'a text as 2024-12-31, or a Date'),
  timestamp: dated(localTime, dateTime),
  timestamptz: dated((date) => date.toISOString(), dateTime),
  time: timeOfDay,
  timetz: timeOfDay,
  json,
  jsonb: json,
  bytea: bytes,
}

/** Types that only Postgres knows: their text, or a number's. */
const writeOther: Write = (value, sql) => {
  if (typeof value === 'string') return { text: value }
  if (typeof value === 'number' || typeof value === 'bigint') return { text: String(value) }
  return { expected: `its text as Postgres reads it (${sql})` }
}
