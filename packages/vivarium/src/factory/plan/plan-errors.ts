import type { VivariumError } from '../../core/errors.ts'
import type { Column, ForeignKey, UniqueKey } from '../catalogue/catalogue.ts'
import type { Rule } from '../checks/table-rules.ts'
import { titleOf } from '../catalogue/catalogue.ts'
import type { Table } from '../catalogue/catalogue.ts'
import { factoryError } from '../factory-error.ts'
import type { RowPlan } from './row-plan.ts'

/** Rows of these tables need each other, and `key` closes the circle. */
export function cycleError(rows: readonly RowPlan[], key: ForeignKey): VivariumError {
  const [first] = rows
  const last = rows.at(-1)
  const line = [...rows.map(({ table }) => titleOf(table)), first === undefined ? '' : titleOf(first.table)]
  return factoryError('FACTORY_CYCLE', {
    what: `A row of ${line[0]} cannot be made: ${line.join(' needs ')}, and none of them can be first.`,
    seen: `constraint ${key.name}: ${last === undefined ? '' : titleOf(last.table)} (${key.columns.join(', ')}) → ${key.table}`,
    remedy:
      `Give ${key.columns.map((column) => `'${column}'`).join(', ')} of ${last === undefined ? 'it' : titleOf(last.table)}, of a row that is there; ` +
      'or let the schema say one of the keys DEFERRABLE, or one of the columns NULL.',
  })
}

/** No value is known for a column. */
export function noValue(table: Table, column: Column): VivariumError {
  return factoryError('FACTORY_VALUE_MISSING', {
    what: `No value could be made for ${titleOf(table)}.${column.name}: nothing is known of its type.`,
    seen: column.type.sql,
    remedy: `Give one: { ${column.name}: … }, as the text that Postgres reads.`,
  })
}

/** The column's own constraints admit no value that could be thought of. */
export function noAdmittedValue(table: Table, column: Column, rules: readonly Rule[]): VivariumError {
  return factoryError('FACTORY_VALUE_MISSING', {
    what: `No value could be made for ${titleOf(table)}.${column.name} (${column.type.sql}).`,
    seen: [...new Set(rules.map(({ constraint }) => `${constraint.name}: CHECK ${constraint.sql}`))].join('; '),
    remedy: `Give one that the constraint admits: { ${column.name}: … }.`,
  })
}

/** No values of the open columns satisfy a rule of the table. */
export function ruleBroken(table: Table, { constraint, columns }: Rule): VivariumError {
  return factoryError('FACTORY_VALUE_MISSING', {
    what: `No row of ${titleOf(table)} could be made that satisfies ${constraint.name}.`,
    seen: `CHECK ${constraint.sql}`,
    remedy: `Give values that it admits: { ${columns.map((column) => `${column}: …`).join(', ')} }.`,
  })
}

/** A partitioned table without partitions takes no row. */
export function noPartition(table: Table): VivariumError {
  return factoryError('FACTORY_VALUE_MISSING', {
    what: `No row of ${titleOf(table)} can be made: the table is partitioned and has no partition.`,
    remedy: 'Add a partition to the migrations, or make one in the test.',
  })
}

/** Every value that the key admits has been made in this sandbox. */
export function usedUp(table: Table, key: UniqueKey, columns: readonly string[], size: number): VivariumError {
  return factoryError('FACTORY_VALUES_USED_UP', {
    what: `No further row of ${titleOf(table)} can be made: the unique key ${key.name} is used up.`,
    seen: `${columns.join(', ')}: ${size} ${size === 1 ? 'value' : 'values'} in all, each made once in this sandbox`,
    remedy: `Make fewer rows, or give ${columns.map((column) => `'${column}'`).join(' or ')}.`,
  })
}
