import { printShort } from '../../core/print-value.ts'
import type { Column, Table } from '../catalogue/catalogue.ts'
import { titleOf } from '../catalogue/catalogue.ts'
import { factoryError } from '../factory-error.ts'
import { writeValue } from '../values/write-value.ts'

/**
 * A column's value as the text that the server is sent.
 *
 * @throws VivariumError FACTORY_VALUE_REFUSED
 */
export function fieldText(table: Table, column: Column, value: unknown): string | null {
  if (value === null) {
    if (column.isNullable) return null
    throw refused(table, column, value, `a value: the column is NOT NULL (${column.type.sql})`)
  }
  const written = writeValue(column.type, value)
  if ('text' in written) return written.text
  throw refused(table, column, value, written.expected)
}

function refused(table: Table, { name }: Column, value: unknown, expected: string): Error {
  return factoryError('FACTORY_VALUE_REFUSED', {
    what: `${titleOf(table)}.${name} cannot be ${printShort(value, 40)}.`,
    seen: `${kindOf(value)}; expected ${expected}`,
    remedy: `Give '${name}' such a value, or leave it out: then one is made.`,
  })
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value !== 'object') return `a ${typeof value}`
  const name = Object.getPrototypeOf(value)?.constructor?.name as string | undefined
  return name === undefined || name === 'Object' ? 'an object' : `a ${name}`
}
