import { evaluate } from '../checks/evaluate.ts'
import type { ReadColumn } from '../checks/evaluate.ts'
import type { Expression } from '../checks/expression.ts'
import { parseExpression } from '../checks/parse-expression.ts'
import type { Column, Table, UniqueKey } from '../catalogue/catalogue.ts'
import type { ValueSeries } from '../values/value-series.ts'
import { writeValue } from '../values/write-value.ts'
import { usedUp } from './plan-errors.ts'
import { Reference, valueOf } from './row-plan.ts'
import type { RowPlan } from './row-plan.ts'

/** What unique keys of the database hold already, that no factory of this sandbox has made. */
export interface TakenKeys {
  /** By a key's columns, as {@link keyText} writes them; `undefined` where nobody has looked. */
  taken(table: Table, key: UniqueKey): ReadonlySet<string> | undefined
}

/** Where a row's number comes from. */
interface Counting extends TakenKeys {
  next(key: string): number
}

/** What is read of a key once. */
interface ReadKey {
  readonly columns: readonly string[]
  readonly predicate: Expression | undefined
}

const readKeys = new WeakMap<UniqueKey, ReadKey>()

function readKey(key: UniqueKey): ReadKey {
  const known = readKeys.get(key)
  if (known !== undefined) return known
  const columns = key.elements.flatMap((element) =>
    element.kind === 'column'
      ? [element.column]
      : (element.sql.match(/"(?:[^"]|"")+"|[a-z_][\w$]*/gi) ?? []).map((name) => name.replaceAll(/^"|"$/g, '')),
  )
  const read = { columns, predicate: key.predicate === undefined ? undefined : parseExpression(key.predicate) }
  readKeys.set(key, read)
  return read
}

/** A key's columns; an expression's are those that it names. */
export function columnsOfKey(key: UniqueKey): readonly string[] {
  return readKey(key).columns
}

/** Whether a row is in the key at all, as far as that can be told. */
export function appliesTo(key: UniqueKey, read: ReadColumn): boolean {
  const { predicate } = readKey(key)
  if (predicate === undefined) return true
  const value = evaluate(predicate, read)
  return value !== false && value !== null
}

/** Above this many values none comes again within a test. */
const plenty = 1_000_000

/** A key of which few values can be made: its columns that are made, with theirs, and the others. */
interface TightKey {
  readonly key: UniqueKey
  readonly open: readonly (readonly [Column, ValueSeries])[]
  readonly fixed: readonly string[]
}

const tightKeysOf = new WeakMap<ReadonlyMap<Column, ValueSeries>, readonly TightKey[]>()
const noPlaces: ReadonlyMap<Column, number> = new Map()

function tightKeys(table: Table, made: ReadonlyMap<Column, ValueSeries>): readonly TightKey[] {
  const known = tightKeysOf.get(made)
  if (known !== undefined) return known
  const keys = table.uniqueKeys.flatMap((key): TightKey[] => {
    const columns = columnsOfKey(key)
    const open = [...made].filter(([column]) => columns.includes(column.name))
    if (open.length === 0 || open.some(([, { size }]) => size >= plenty)) return []
    return [{ key, open, fixed: columns.filter((name) => !open.some(([column]) => column.name === name)) }]
  })
  tightKeysOf.set(made, keys)
  return keys
}

/** Where a key's columns have few values, their combinations are gone through one after the other: each column's place in its own. */
export function placesInKeys(
  row: RowPlan,
  made: ReadonlyMap<Column, ValueSeries>,
  numbers: Counting,
): ReadonlyMap<Column, number> {
  const tight = tightKeys(row.table, made)
  if (tight.length === 0) return noPlaces
  const places = new Map<Column, number>()
  for (const { key, open, fixed } of tight) {
    if (isNewByItself(row, columnsOfKey(key))) continue
    const size = open.reduce((product, [, series]) => product * series.size, 1)
    const others = JSON.stringify(fixed.map((name) => identityOf(row, name)))
    const number = numbers.next(`${row.table.schema}.${row.table.name} ${key.name} ${others}`)
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
  return places
}

/** A column of the key takes its value from a sequence. */
function isNewByItself({ table, values }: RowPlan, columns: readonly string[]): boolean {
  return table.columns.some(
    ({ name, identity, default: given }) =>
      columns.includes(name) && !values.has(name) && (identity !== undefined || given?.includes('nextval(') === true),
  )
}

/** What tells a fixed value from others: a row that is not there yet by its own number. */
function identityOf(row: RowPlan, column: string): string {
  const value = valueOf(row, column)
  return value instanceof Reference ? `row ${value.row.id}` : String(value)
}

/** A key's values as one text; `undefined` where a NULL keeps the row out of it, or a value is not told yet. */
export function keyText(texts: readonly (string | null | undefined)[]): string | undefined {
  return texts.some((text) => text === null || text === undefined) ? undefined : JSON.stringify(texts)
}

/** Whether a unique key of the row is known to be taken, and another number would give it another one. */
export function isTaken(row: RowPlan, drawn: ReadonlyMap<string, unknown>, numbers: TakenKeys): boolean {
  return row.table.uniqueKeys.some((key) => {
    const taken = numbers.taken(row.table, key)
    const columns = columnsOfKey(key)
    if (taken === undefined || !columns.some((name) => drawn.has(name))) return false
    const texts = columns.map((name) => {
      const value = drawn.has(name) ? drawn.get(name) : valueOf(row, name)
      const column = row.table.columns.find((one) => one.name === name)
      if (column === undefined || value === null || value === undefined || value instanceof Reference) return undefined
      const written = writeValue(column.type, value)
      return 'text' in written ? written.text : undefined
    })
    const text = keyText(texts)
    return text !== undefined && taken.has(text)
  })
}
