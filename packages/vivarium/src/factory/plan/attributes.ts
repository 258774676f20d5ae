import { nearestName } from '../../core/nearest-name.ts'
import { printShort } from '../../core/print-value.ts'
import type { Catalogue, ForeignKey, Table } from '../catalogue/catalogue.ts'
import { titleOf } from '../catalogue/catalogue.ts'
import { camelCased, singularOf } from '../catalogue/english.ts'
import { referencedTable } from '../catalogue/find-table.ts'
import { factoryError } from '../factory-error.ts'
import type { RowRequest } from './row-request.ts'

/** What a row is given: columns by their names or in camelCase, and parents by the name of their key. */
export type Attributes = Readonly<Record<string, unknown>>

/** A row that a factory has inserted. */
export interface InsertedRow {
  readonly table: Table
  /** By the database's own names. */
  readonly values: Readonly<Record<string, unknown>>
}

/** Tells rows that are in the database from others. */
export type FindInserted = (row: object) => InsertedRow | undefined

/**
 * What is asked for, from what a caller wrote.
 *
 * @throws VivariumError FACTORY_ATTRIBUTE_UNKNOWN, FACTORY_ALREADY_INSERTED, FACTORY_VALUE_REFUSED
 */
export function toRequest(
  catalogue: Catalogue,
  table: Table,
  attributes: Attributes,
  findInserted: FindInserted,
): RowRequest {
  const known = findInserted(attributes)
  if (known !== undefined) throw alreadyInserted(table, known)
  const values: Record<string, unknown> = {}
  const parents: Record<string, RowRequest> = {}
  for (const [name, value] of Object.entries(attributes)) {
    const column = columnNamed(table, name)
    const key = column === undefined ? keyNamed(table, name) : undefined
    if (column !== undefined) values[column] = value
    else if (key === undefined) throw unknownAttribute(table, name)
    else if (value === null) for (const one of key.columns) values[one] = null
    else if (value !== undefined) giveParent(key, name, value)
  }
  return { table, values, parents }

  function giveParent(key: ForeignKey, name: string, value: unknown): void {
    const parent = referencedTable(catalogue, key)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notARow(table, name, parent, value)
    const row = findInserted(value)
    if (row === undefined) {
      parents[key.name] = toRequest(catalogue, parent, value as Attributes, findInserted)
      return
    }
    if (row.table.name !== parent.name || row.table.schema !== parent.schema)
      throw otherTable(table, name, parent, row.table)
    key.columns.forEach((column, index) => {
      values[column] = row.values[key.references[index] ?? '']
    })
  }
}

/** The column of that name, or of that name in camelCase. */
export function columnNamed({ columns }: Table, name: string): string | undefined {
  const found =
    columns.find((column) => column.name === name) ?? columns.find((column) => camelCased(column.name) === name)
  return found?.name
}

/** The foreign key that goes by that name. */
export function keyNamed(table: Table, name: string): ForeignKey | undefined {
  return table.foreignKeys.find((key) => parentNames(table, key).includes(name))
}

/**
 * The names of a key's parent: its last column without `_id` (`author_id`: `author`), the singular of its table where it is the only key to that one, and
 * the constraint's own.
 */
export function parentNames(table: Table, key: ForeignKey): readonly string[] {
  const short = /^(.+?)_?(?:id|uuid|key|code|no)$/i.exec(key.columns.at(-1) ?? '')?.[1]
  const isOnly =
    table.foreignKeys.filter((other) => other.table === key.table && other.schema === key.schema).length === 1
  const names = [...(short === undefined ? [] : [short]), ...(isOnly ? [singularOf(key.table)] : []), key.name]
  return [...new Set([...names, ...names.map(camelCased)])]
}

function namesOf(table: Table): readonly string[] {
  const keys = table.foreignKeys.map((key) => parentNames(table, key)[0] ?? key.name)
  return [...table.columns.map(({ name }) => name), ...keys]
}

function unknownAttribute(table: Table, name: string): Error {
  const names = namesOf(table)
  const nearest = nearestName(name, names)
  return factoryError('FACTORY_ATTRIBUTE_UNKNOWN', {
    what: `${titleOf(table)} has no column '${name}', and no foreign key of that name.`,
    seen: `it has ${names.join(', ')}`,
    remedy: nearest === undefined ? 'Give one of these.' : `Did you mean '${nearest}'?`,
  })
}

function alreadyInserted(table: Table, row: InsertedRow): Error {
  const keys = row.table.primaryKey?.elements ?? []
  const names = keys.flatMap((element) => (element.kind === 'column' ? [element.column] : []))
  return factoryError('FACTORY_ALREADY_INSERTED', {
    what: `The row given to insert('${titleOf(table)}') is in the database already.`,
    seen: `a row of ${titleOf(row.table)}: ${names.map((name) => `${name} ${printShort(row.values[name])}`).join(', ')}`,
    remedy: 'Use the row as it is; for another one like it, give what is to be the same: { name: row.name }.',
  })
}

function notARow(table: Table, name: string, parent: Table, value: unknown): Error {
  return factoryError('FACTORY_VALUE_REFUSED', {
    what: `${titleOf(table)}.${name} cannot be ${printShort(value, 40)}.`,
    seen: `a ${typeof value}; expected a row of ${titleOf(parent)}, or what one is to be given`,
    remedy: `Give a row that a factory inserted, or an object as { ${parent.columns.at(1)?.name ?? 'name'}: … }.`,
  })
}

function otherTable(table: Table, name: string, parent: Table, given: Table): Error {
  return factoryError('FACTORY_VALUE_REFUSED', {
    what: `${titleOf(table)}.${name} cannot be a row of ${titleOf(given)}.`,
    seen: `expected a row of ${titleOf(parent)}`,
    remedy: `Give a row of ${titleOf(parent)}, or what one is to be given.`,
  })
}
