import { restrictSeries } from '../checks/restrict-series.ts'
import { rulesOf } from '../checks/table-rules.ts'
import type { Column, Partition, Table } from '../catalogue/catalogue.ts'
import { columnSeries } from '../values/type-series.ts'
import type { ValueSeries } from '../values/value-series.ts'
import { columnsOfKey } from './key-values.ts'
import { noAdmittedValue, noValue } from './plan-errors.ts'

type Known = Map<Column, Map<Partition | undefined, ValueSeries | undefined>>

const known = new WeakMap<Table, Known>()

/** The values that a table's column may have, found once. */
export const ColumnSeries = {
  /** @throws VivariumError FACTORY_VALUE_MISSING */
  of(table: Table, column: Column, partition?: Partition): ValueSeries {
    const series = ColumnSeries.find(table, column, partition)
    if (series !== undefined) return series
    const rules = rulesOf(table, partition).single.get(column.name) ?? []
    const natural = columnSeries(table.name, column, isInKey(table, column))
    throw natural === undefined ? noValue(table, column) : noAdmittedValue(table, column, rules)
  },
  find(table: Table, column: Column, partition?: Partition): ValueSeries | undefined {
    const ofTable: Known = known.get(table) ?? new Map()
    known.set(table, ofTable)
    const ofColumn = ofTable.get(column) ?? new Map<Partition | undefined, ValueSeries | undefined>()
    ofTable.set(column, ofColumn)
    if (!ofColumn.has(partition)) {
      const natural = columnSeries(table.name, column, isInKey(table, column))
      const rules = rulesOf(table, partition).single.get(column.name) ?? []
      ofColumn.set(partition, natural && restrictSeries(column, natural, rules))
    }
    return ofColumn.get(partition)
  },
} as const

function isInKey(table: Table, { name }: Column): boolean {
  return table.uniqueKeys.some((key) => columnsOfKey(key).includes(name))
}
