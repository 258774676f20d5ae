import type { Column, ColumnType } from '../catalogue/catalogue.ts'
import { textSeries } from './text-series.ts'
import { cycle, endless, numbers } from './value-series.ts'
import type { ValueSeries } from './value-series.ts'

/** What values are for. */
export interface ValueUse {
  readonly table: string
  readonly column: string
  readonly length?: number | undefined
  readonly precision?: number | undefined
  readonly scale?: number | undefined
  /** No two are to be equal. */
  readonly isUnique: boolean
}

/** Values for a column of a table; `undefined` where its type is not known. */
export function columnSeries(table: string, column: Column, isUnique: boolean): ValueSeries | undefined {
  const { name, type, length, precision, scale } = column
  return typeSeries(type, { table, column: name, length, precision, scale, isUnique })
}

/** Values of a type that may stand in a column; `undefined` where the type is not known. */
function typeSeries(type: ColumnType, use: ValueUse): ValueSeries | undefined {
  switch (type.kind) {
    case 'enum':
      return type.labels.length === 0 ? undefined : cycle(type.labels)
    case 'domain':
      return typeSeries(type.base, use)
    case 'array': {
      const element = typeSeries(type.element, use)
      return element && { size: element.size, at: (number) => [element.at(number)] }
    }
    case 'range':
      return rangeSeries(type.subtype)
    case 'multirange': {
      const range = typeSeries(type.range, use)
      return range && { size: range.size, at: (number) => [range.at(number)] }
    }
    case 'composite': {
      const parts = type.attributes.map(
        ({ name, type: part }) => [name, typeSeries(part, { ...use, column: name })] as const,
      )
      if (parts.some(([, series]) => series === undefined)) return undefined
      const size = Math.max(...parts.map(([, series]) => series?.size ?? 1))
      return { size, at: (number) => Object.fromEntries(parts.map(([name, series]) => [name, series?.at(number)])) }
    }
    case 'base':
      return baseSeries[type.name]?.(use)
  }
}

const dayMs = 86_400_000
/** A Monday that is past, whoever runs the tests, and not so far that a schema would refuse it. */
const firstDay = Date.UTC(2024, 0, 1)
/** Days after it that are still past. */
const days = 330

/** A day by its number: `2024-01-02`. */
function dayAt(number: number): string {
  return new Date(firstDay + number * dayMs).toISOString().slice(0, 10)
}

const day: ValueSeries = endless((number) => dayAt(((number - 1) % days) - Math.floor((number - 1) / days) * days))
const moment: ValueSeries = endless((number) => new Date(firstDay + number * 60_000))

const integers =
  (most: number) =>
  (use: ValueUse): ValueSeries => {
    if (/year/i.test(use.column) && most > 9999 && !use.isUnique) return numbers(2000, 2024)
    return numbers(1, most)
  }

const decimals = ({ precision, scale = 0, column }: ValueUse): ValueSeries => {
  if (/^(lat|latitude)$/.test(column)) return numbers(0, 90)
  if (/^(lon|lng|long|longitude)$/.test(column)) return numbers(0, 180)
  if (precision === undefined) return endless((number) => String(number))
  const whole = precision - scale
  // All digits behind the point: 0.01, 0.02, …
  if (whole <= 0) return { size: 10 ** precision - 1, at: (number) => (number / 10 ** scale).toFixed(scale) }
  const most = 10 ** Math.min(whole, 15) - 1
  const { size, at } = numbers(1, most)
  return { size, at: (number) => String(at(number)) }
}

const texts = ({ table, column, length, isUnique }: ValueUse): ValueSeries =>
  textSeries({ table, column, length, isUnique })

const bits = ({ length = 1 }: ValueUse): ValueSeries => {
  const size = 2 ** Math.min(length, 40)
  return { size, at: (number) => ((number - 1) % size).toString(2).padStart(length, '0') }
}

const twoDigits = (number: number): string => String(number).padStart(2, '0')
const clock: ValueSeries = {
  size: 24 * 60,
  at: (number) => `${twoDigits((8 + Math.floor((number - 1) / 60)) % 24)}:${twoDigits((number - 1) % 60)}:00`,
}

const byte = (number: number, place: number): number => Math.floor(number / 256 ** place) % 256

/** Each by the type's name in the catalogue. */
const baseSeries: Readonly<Record<string, (use: ValueUse) => ValueSeries>> = {
  bool: () => cycle([false, true]),
  int2: integers(32_767),
  int4: integers(2_147_483_647),
  int8: integers(Number.MAX_SAFE_INTEGER),
  float4: integers(1_000_000),
  float8: integers(Number.MAX_SAFE_INTEGER),
  numeric: decimals,
  money: () => endless((number) => `${number}.00`),
  text: texts,
  varchar: texts,
  bpchar: texts,
  name: texts,
  citext: texts,
  char: () => cycle('ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('')),
  uuid: ({ table }) => endless((number) => uuidAt(table, number)),
  date: () => day,
  timestamp: () => moment,
  timestamptz: () => moment,
  time: () => clock,
  timetz: () => ({ size: clock.size, at: (number) => `${String(clock.at(number))}+00` }),
  interval: () => endless((number) => `${number} hours`),
  json: () => endless((number) => ({ number })),
  jsonb: () => endless((number) => ({ number })),
  jsonpath: () => endless((number) => `$."field ${number}"`),
  xml: () => endless((number) => `<item number="${number}"/>`),
  bytea: () => endless((number) => Buffer.from(number.toString(16).padStart(8, '0'), 'hex')),
  inet: () => endless((number) => `10.${byte(number, 2)}.${byte(number, 1)}.${byte(number, 0)}`),
  cidr: () => endless((number) => `10.${byte(number, 1)}.${byte(number, 0)}.0/24`),
  macaddr: () =>
    endless(
      (number) => `02:00:00:${[2, 1, 0].map((place) => byte(number, place).toString(16).padStart(2, '0')).join(':')}`,
    ),
  macaddr8: () =>
    endless(
      (number) =>
        `02:00:00:00:00:${[2, 1, 0].map((place) => byte(number, place).toString(16).padStart(2, '0')).join(':')}`,
    ),
  bit: bits,
  varbit: bits,
  point: () => endless((number) => `(${number},${number})`),
  line: () => endless((number) => `{1,-1,${number}}`),
  lseg: () => endless((number) => `[(0,0),(${number},1)]`),
  box: () => endless((number) => `(${number},1),(0,0)`),
  path: () => endless((number) => `[(0,0),(${number},1)]`),
  polygon: () => endless((number) => `((0,0),(${number},0),(0,1))`),
  circle: () => endless((number) => `<(0,0),${number}>`),
  tsvector: ({ column }) => endless((number) => `'${column.replaceAll("'", '')}' '${number}'`),
  tsquery: () => endless((number) => `'word${number}'`),
  pg_lsn: () => endless((number) => `0/${number.toString(16).toUpperCase()}`),
  oid: integers(2_147_483_647),
  ltree: ({ table }) => endless((number) => `${table.replaceAll(/\W/g, '_')}_${number}`),
  hstore: () => endless((number) => `"number"=>"${number}"`),
}

/** FNV-1a: a table's own thirty-two bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193)
  return hash >>> 0
}

/** One of the form of version 4 that says which table's it is, and its number. */
function uuidAt(table: string, number: number): string {
  return `${hashOf(table).toString(16).padStart(8, '0')}-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
}

const secondsOfDay = 86_398

/** Ranges that follow each other and never meet. */
function rangeSeries(subtype: ColumnType): ValueSeries | undefined {
  if (subtype.name === 'time') {
    const at = (number: number): string =>
      `[${timeAt((number - 1) % secondsOfDay)},${timeAt(((number - 1) % secondsOfDay) + 1)})`
    return { size: secondsOfDay, at }
  }
  const bound = rangeBounds[subtype.name]
  return bound && endless((number) => `[${bound(number)},${bound(number + 1)})`)
}

function timeAt(second: number): string {
  return [Math.floor(second / 3600), Math.floor(second / 60) % 60, second % 60].map(twoDigits).join(':')
}

const rangeBounds: Readonly<Record<string, (number: number) => string>> = {
  int4: (number) => String(number * 10),
  int8: (number) => String(number * 10),
  numeric: (number) => String(number * 10),
  float8: (number) => String(number * 10),
  date: dayAt,
  timestamp: (number) => new Date(firstDay + number * 3_600_000).toISOString().slice(0, 19),
  timestamptz: (number) => new Date(firstDay + number * 3_600_000).toISOString(),
}
