import { comparable } from '../checks/comparable.ts'
import { evaluate, unknown } from '../checks/evaluate.ts'
import type { Value } from '../checks/evaluate.ts'
import { parseExpression } from '../checks/parse-expression.ts'
import { satisfyRules } from '../checks/satisfy-rules.ts'
import type { OpenColumn } from '../checks/satisfy-rules.ts'
import type { Rule, TableRules } from '../checks/table-rules.ts'
import { rulesOf } from '../checks/table-rules.ts'
import type { Column, Partition, Table, UniqueKey } from '../catalogue/catalogue.ts'
import type { ValueSeries } from '../values/value-series.ts'
import { ColumnSeries } from './column-series.ts'
import { appliesTo, columnsOfKey, isTaken, placesInKeys } from './key-values.ts'
import type { TakenKeys } from './key-values.ts'
import { noPartition } from './plan-errors.ts'
import { madeColumns, Reference } from './row-plan.ts'
import type { RowPlan } from './row-plan.ts'

/** Counts rows within a sandbox, and knows what is there already. */
export interface Numbers extends TakenKeys {
  /** The next number, the first is 1. */
  next(key: string): number
}

/**
 * Gives each column a value that neither the caller nor the database gives one.
 *
 * @returns a rule that no value of the open columns satisfies, and nothing was given then
 */
export function completeValues(row: RowPlan, numbers: Numbers): Rule | undefined {
  const { table } = row
  if (!table.isPartitioned) return complete(row, numbers, undefined)
  let broken: Rule | undefined
  for (const partition of table.partitions.toSorted((one, other) => Number(one.isDefault) - Number(other.isDefault))) {
    const rule = complete(row, numbers, partition)
    if (rule === undefined) return undefined
    broken ??= rule
  }
  if (broken === undefined) throw noPartition(table)
  return broken
}

/** Keys that are tried before a table is taken to have none left. */
const mostTries = 100_000

function complete(row: RowPlan, numbers: Numbers, partition: Partition | undefined): Rule | undefined {
  const { table } = row
  const rules = rulesOf(table, partition)
  // What was given breaks a constraint: of a partition's there may be another, of the table's own the server speaks.
  const unfit = partition === undefined ? undefined : givenBreaks(row, rules)
  if (unfit !== undefined) return unfit
  const made = seriesFor(row, rules, partition)
  if (!(made instanceof Map)) return made as Rule
  const hasSeveral = rules.several.length > 0
  if (made.size === 0 && !hasSeveral) return undefined
  for (let tries = 0; tries < mostTries; tries++) {
    const drawn = drawValues(row, made, numbers)
    if (hasSeveral) {
      const changes = satisfyRules(rules, { read: readDraft(row, drawn), open: openColumns(row, made) })
      if (!(changes instanceof Map)) {
        const broken = changes as Rule
        if (broken.columns.every((name) => row.given.has(name))) return commit(row, drawn)
        return broken
      }
      for (const [name, value] of changes as ReadonlyMap<string, unknown>) drawn.set(name, value)
    }
    if (!isTaken(row, drawn, numbers)) return commit(row, drawn)
  }
  return undefined
}

/** A partition's rule that a value is against that was given. */
function givenBreaks({ table, values }: RowPlan, rules: TableRules): Rule | undefined {
  return [...values].flatMap(([name, value]) =>
    value instanceof Reference ? [] : brokenBy(table, name, value, rules),
  )[0]
}

/** What is made for rows that have the same columns already. */
type Made = ReadonlyMap<Column, ValueSeries>

const madeFor = new WeakMap<Table, Map<string, Made>>()

/** The columns that are to be made, with what they may have; or a rule that only another parent can satisfy. */
function seriesFor(row: RowPlan, rules: TableRules, partition: Partition | undefined): Made | Rule {
  const { table, values } = row
  const ofTable = madeFor.get(table) ?? new Map<string, Made>()
  madeFor.set(table, ofTable)
  const name = `${partition?.name ?? ''} ${[...values.keys()].join(' ')}`
  const known = ofTable.get(name)
  if (known !== undefined) return known
  const keyColumns = columnsOfKeys(table)
  const made = new Map<Column, ValueSeries>()
  for (const column of table.columns) {
    if (values.has(column.name) || column.generated !== undefined || column.identity !== undefined) continue
    const isNeeded = needsValue(column) || isPartitionKey(column, rules)
    const rule = isNeeded ? undefined : brokenBy(table, column.name, defaultOf(column), rules)[0]
    if (!isNeeded && rule === undefined) continue
    if (rule !== undefined && keyColumns.has(column.name)) return rule
    made.set(column, ColumnSeries.of(table, column, partition))
  }
  for (const column of keyColumnsToMake(row, made)) made.set(column, ColumnSeries.of(table, column, partition))
  // Whether a row is in a partial key at all depends on its values, too.
  if (keysOfConstants(table).length === 0) ofTable.set(name, made)
  return made
}

/** The columns of the table's foreign keys. */
function columnsOfKeys({ foreignKeys }: Table): ReadonlySet<string> {
  return new Set(foreignKeys.flatMap(({ columns }) => columns))
}

function commit({ values }: RowPlan, drawn: ReadonlyMap<string, unknown>): undefined {
  for (const [name, value] of drawn) values.set(name, value)
  return undefined
}

/** Gives the columns whose values were made the next ones. */
export function drawAgain(row: RowPlan, numbers: Numbers): void {
  for (const name of madeColumns(row)) row.values.delete(name)
  completeValues(row, numbers)
}

/** Values of the row's next number. */
function drawValues(row: RowPlan, made: ReadonlyMap<Column, ValueSeries>, numbers: Numbers): Map<string, unknown> {
  const { table } = row
  const number = numbers.next(`${table.schema}.${table.name}`)
  const places = placesInKeys(row, made, numbers)
  const apart = columnsKeptApart(table)
  const drawn = new Map<string, unknown>()
  for (const [column, series] of made) {
    // What must not overlap is kept apart.
    const own = apart.has(column.name) ? number * 4 : number
    drawn.set(column.name, series.at(places.get(column) ?? own))
  }
  return drawn
}

const keptApart = new WeakMap<Table, ReadonlySet<string>>()

/** The columns that exclusion constraints look at. */
function columnsKeptApart(table: Table): ReadonlySet<string> {
  const known = keptApart.get(table)
  if (known !== undefined) return known
  const columns = new Set(
    table.exclusions.flatMap(({ elements }) => elements.flatMap(({ sql }) => sql.match(/\w+/g) ?? [])),
  )
  keptApart.set(table, columns)
  return columns
}

function brokenBy(table: Table, name: string, value: unknown, rules: TableRules): readonly Rule[] {
  const ofColumn = rules.single.get(name)
  const column = ofColumn && table.columns.find((one) => one.name === name)
  if (ofColumn === undefined || column === undefined) return []
  const read = value === unknown ? unknown : comparable(column.type, value)
  return ofColumn.filter(({ expression }) => evaluate(expression, () => read) === false)
}

/** What constraints see of a row: what is not told yet is not known. */
function readDraft(row: RowPlan, drawn: ReadonlyMap<string, unknown>): (name: string) => Value {
  return (name) => {
    const column = row.table.columns.find((one) => one.name === name)
    if (column === undefined) return unknown
    if (row.values.has(name) || drawn.has(name)) {
      const value = row.values.has(name) ? row.values.get(name) : drawn.get(name)
      return value instanceof Reference ? unknown : comparable(column.type, value)
    }
    if (column.generated !== undefined || column.identity !== undefined) return unknown
    const value = defaultOf(column)
    return value === unknown || value === null ? value : comparable(column.type, value)
  }
}

const defaults = new WeakMap<Column, { readonly value: Value }>()

/** What the database gives a column itself: NULL, a constant, or what cannot be known. */
function defaultOf(column: Column): Value {
  const found = defaults.get(column) ?? { value: readDefault(column) }
  defaults.set(column, found)
  return found.value
}

function readDefault(column: Column): Value {
  if (column.default === undefined) return column.isNullable ? null : unknown
  const expression = parseExpression(column.default)
  return expression === undefined ? unknown : evaluate(expression, () => unknown)
}

/** Columns that are free to have another value, with some that they may have. */
function openColumns(row: RowPlan, made: Made): OpenColumn[] {
  const keyColumns = columnsOfKeys(row.table)
  const free = row.table.columns.filter(
    (column) =>
      !row.values.has(column.name) &&
      column.generated === undefined &&
      column.identity === undefined &&
      !keyColumns.has(column.name),
  )
  return free.map((column) => {
    const series = made.get(column) ?? ColumnSeries.find(row.table, column)
    const samples =
      series === undefined ? [] : Array.from({ length: Math.min(series.size, 12) }, (_, index) => series.at(index + 1))
    return { column, samples }
  })
}

const randomUuid = /^(?:\w+\.)?(?:gen_random_uuid|uuid_generate_v[14]|uuidv[47])\(/

/** Whether nobody else gives the column a value. One that would be random is made here, so that a test always sees the same. */
function needsValue(column: Column): boolean {
  if (column.default !== undefined) return isRandomUuid(column)
  return !column.isNullable
}

/** Its default would be another one in every run. */
export function isRandomUuid(column: Column): boolean {
  return column.default !== undefined && randomUuid.test(column.default)
}

/** The clock says whether a default of now() falls into a partition: it is given a value that does. */
function isPartitionKey(column: Column, rules: TableRules): boolean {
  return (
    defaultOf(column) === 'now' &&
    (rules.single.get(column.name) ?? []).some(({ constraint }) => constraint.name.startsWith('partition '))
  )
}

const constantKeys = new WeakMap<Table, readonly UniqueKey[]>()

/** Keys of which the database might give all columns the same in every row. */
function keysOfConstants(table: Table): readonly UniqueKey[] {
  const known = constantKeys.get(table)
  if (known !== undefined) return known
  const isConstant = (key: UniqueKey, name: string): boolean => {
    const column = table.columns.find((one) => one.name === name)
    if (column === undefined || column.generated !== undefined || column.identity !== undefined) return false
    const value = defaultOf(column)
    return value !== unknown && value !== 'now' && (value !== null || key.nullsNotDistinct)
  }
  const keys = table.uniqueKeys.filter((key) => columnsOfKey(key).every((name) => isConstant(key, name)))
  constantKeys.set(table, keys)
  return keys
}

/** Columns whose default would come twice in a key. */
function keyColumnsToMake(row: RowPlan, made: ReadonlyMap<Column, ValueSeries>): readonly Column[] {
  const { table, values } = row
  return keysOfConstants(table).flatMap((key) => {
    if (!appliesTo(key, readDraft(row, new Map()))) return []
    const columns = columnsOfKey(key).flatMap((name) => table.columns.find((column) => column.name === name) ?? [])
    const isMade = columns.some((column) => values.has(column.name) || made.has(column))
    return isMade ? [] : columns.slice(0, 1)
  })
}
