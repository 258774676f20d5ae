import type { Column, Table, UniqueKey } from '../catalogue/catalogue.ts'
import { columnSeries } from '../values/type-series.ts'
import type { ValueSeries } from '../values/value-series.ts'
import { noValue, usedUp } from './plan-errors.ts'
import { Reference } from './row-plan.ts'
import type { RowPlan } from './row-plan.ts'

/** Counts rows within a sandbox. */
export interface Numbers {
  /** The next number, the first is 1. */
  next(key: string): number
}

/** Gives each column a value that neither the caller nor the database gives one. */
export function completeValues(row: RowPlan, numbers: Numbers): void {
  const { table, values } = row
  const title = `${table.schema}.${table.name}`
  const open = table.columns.filter((column) => !values.has(column.name) && needsValue(column))
  if (open.length === 0) return
  const number = numbers.next(title)
  const made = new Map(open.map((column) => [column, seriesOf(table, column, isInKey(table, column))]))
  const places = new Map<Column, number>()
  for (const key of table.uniqueKeys) enumerate(row, key, made, places, numbers)
  for (const [column, series] of made) values.set(column.name, series.at(places.get(column) ?? number))
}

function seriesOf(table: Table, column: Column, isUnique: boolean): ValueSeries {
  const series = columnSeries(table.name, column, isUnique)
  if (series === undefined) throw noValue(table, column)
  return series
}

function isInKey(table: Table, { name }: Column): boolean {
  return table.uniqueKeys.some((key) => columnsOf(key).includes(name))
}

/** A key's columns; an expression's are those that it names. */
function columnsOf({ elements }: UniqueKey): readonly string[] {
  return elements.flatMap((element) =>
    element.kind === 'column' ? [element.column] : (element.sql.match(/[a-z_][a-z0-9_$]*|"[^"]+"/gi) ?? []),
  )
}

/** Above this many values none comes again within a test. */
const plenty = 1_000_000

/** Where a key's columns have few values, their combinations are gone through one after the other. */
function enumerate(
  row: RowPlan,
  key: UniqueKey,
  made: ReadonlyMap<Column, ValueSeries>,
  places: Map<Column, number>,
  numbers: Numbers,
): void {
  const columns = columnsOf(key)
  const open = [...made].filter(([column]) => columns.includes(column.name))
  if (open.length === 0 || open.some(([, { size }]) => size >= plenty)) return
  const fixed = columns.map((column) => row.values.get(column))
  // A parent of its own is different in every row.
  if (fixed.some((value) => value instanceof Reference)) return
  const size = open.reduce((product, [, series]) => product * series.size, 1)
  const number = numbers.next(`${row.table.schema}.${row.table.name} ${key.name} ${JSON.stringify(fixed.map(String))}`)
  if (number > size)
    throw usedUp(
      row.table,
      key,
      open.map(([column]) => column.name),
      size,
    )
  let rest = number - 1
  for (const [column, series] of open) {
    places.set(column, (rest % series.size) + 1)
    rest = Math.floor(rest / series.size)
  }
}

const randomUuid = /^(?:\w+\.)?(?:gen_random_uuid|uuid_generate_v[14]|uuidv[47])\(/

/** Whether nobody else gives the column a value. One that would be random is made here, so that a test always sees the same. */
function needsValue(column: Column): boolean {
  if (column.generated !== undefined || column.identity !== undefined) return false
  if (column.default !== undefined) return randomUuid.test(column.default)
  return !column.isNullable
}
