import { quoteIdentifier, quoteLiteral } from '../../postgres/connection/client.ts'
import type { Column, ColumnType, Table } from '../catalogue/catalogue.ts'
import type { PolicySetting } from '../checks/policy-settings.ts'
import type { FactoryStatement } from './factory-connection.ts'

/** A value of a column in a statement: its text, SQL's NULL, its default, or the number that its parent's sequence gave last. */
export type Field =
  | { readonly kind: 'value'; readonly text: string | null }
  | { readonly kind: 'default' }
  | { readonly kind: 'last'; readonly sequence: string }

/** What a statement inserts: rows of one table, each with one field per column. */
export interface InsertParts {
  readonly table: Table
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly Field[])[]
  /** What must be set for a row to be let in. */
  readonly settings: readonly PolicySetting[]
}

/** One statement, and how many of the rows it inserts. */
export interface InsertStatement extends FactoryStatement {
  readonly rowCount: number
}

/** The protocol counts parameters by 16 bits. */
const mostParameters = 65_535

/** What inserts the rows, and gives them back as the database holds them: one statement, as long as parameters suffice. */
export function insertStatements(parts: InsertParts): InsertStatement[] {
  const { table, columns, rows, settings } = parts
  const isUniform = rows.every((row) => row.every(({ kind }) => kind === 'value'))
  const isSet = settings.some(({ column }) => columns.some(({ name }) => name === column))
  if ((rows.length > 1 || isSet) && isUniform && columns.length > 0) return [insertByArrays(parts)]
  if (isSet) return rows.map((row) => insertBySelect(parts, row))
  // A row without any column is a statement of its own.
  const perStatement = columns.length === 0 ? 1 : Math.floor(mostParameters / columns.length)
  const statements: InsertStatement[] = []
  for (let from = 0; from < rows.length; from += perStatement) {
    statements.push(insertByValues(table, columns, rows.slice(from, from + perStatement)))
  }
  return statements
}

function intoTable(table: Table, columns: readonly Column[]): string {
  const overriding = columns.some(({ identity }) => identity === 'always') ? ' OVERRIDING SYSTEM VALUE' : ''
  return `INSERT INTO ${quotedName(table)} (${columns.map(({ name }) => quoteIdentifier(name)).join(', ')})${overriding}`
}

function quotedName({ schema, name }: Table): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`
}

function returning(table: Table): string {
  return ` RETURNING ${table.columns.map(({ name }) => quoteIdentifier(name)).join(', ')}`
}

/** One array of texts for each column: the same text for any number of rows. */
function insertByArrays({ table, columns, rows, settings }: InsertParts): InsertStatement {
  const casts = columns.map(({ type }, index) => `v.c${index}::${castTo(type)}`)
  const arrays = columns.map((_, index) => `$${index + 1}::text[]`)
  const names = columns.map((_, index) => `c${index}`)
  return {
    text:
      `${intoTable(table, columns)} SELECT ${casts.join(', ')} ` +
      `FROM unnest(${arrays.join(', ')}) v(${names.join(', ')})${setting(settings, columns, (index) => `v.c${index}`)}${returning(table)}`,
    rowCount: rows.length,
    params: columns.map((_, index) => arrayText(rows.map((row) => textOf(row[index])))),
  }
}

/** Without a length: a cast to one cuts off in silence what an insert refuses. */
function castTo({ name, sql }: ColumnType): string {
  return /^_?(bpchar|varchar|bit|varbit)$/.test(name) ? `pg_catalog."${name}"` : sql.replace(/\(\d+(,-?\d+)?\)/, '')
}

function textOf(field: Field | undefined): string | null {
  return field?.kind === 'value' ? field.text : null
}

const isPlain = /^[^"\\]*$/

function arrayText(texts: readonly (string | null)[]): string {
  const elements = texts.map((text) => {
    if (text === null) return 'NULL'
    return isPlain.test(text) ? `"${text}"` : `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
  })
  return `{${elements.join(',')}}`
}

/**
 * Sets for each row what policies ask, before the row is judged: rows pass one by one from the source of an INSERT through the condition
 * into the table.
 */
function setting(
  settings: readonly PolicySetting[],
  columns: readonly Column[],
  valueOf: (index: number) => string | undefined,
): string {
  const conditions = settings.flatMap(({ setting: name, column }) => {
    const value = valueOf(columns.findIndex((one) => one.name === column))
    return value === undefined ? [] : [`pg_catalog.set_config(${quoteLiteral(name)}, ${value}, true) IS NOT NULL`]
  })
  return conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
}

/** One row for which something must be set. */
function insertBySelect({ table, columns, settings }: InsertParts, row: readonly Field[]): InsertStatement {
  const own = columns.filter((_, index) => row[index]?.kind !== 'default')
  const params: (string | null)[] = []
  const texts = row.flatMap((field) => (field.kind === 'default' ? [] : [fieldSql(field, params)]))
  const values = own.map(({ type }, index) => `${texts[index]}::${castTo(type)}`)
  const where = setting(settings, own, (index) => texts[index])
  return {
    text: `${intoTable(table, own)} SELECT ${values.join(', ')}${where}${returning(table)}`,
    params,
    rowCount: 1,
  }
}

/** A field of {@link insertBySelect}. */
function fieldSql(field: Exclude<Field, { kind: 'default' }>, params: (string | null)[]): string {
  return field.kind === 'last' ? lastOf(field.sequence) : `$${params.push(field.text)}::text`
}

function lastOf(sequence: string): string {
  return `pg_catalog.currval(${quoteLiteral(sequence)})`
}

function insertByValues(table: Table, columns: readonly Column[], rows: InsertParts['rows']): InsertStatement {
  if (columns.length === 0)
    return { text: `INSERT INTO ${quotedName(table)} DEFAULT VALUES${returning(table)}`, params: [], rowCount: 1 }
  const params: (string | null)[] = []
  const lists = rows.map((row) => {
    const fields = row.map((field) => {
      switch (field.kind) {
        case 'default':
          return 'DEFAULT'
        case 'last':
          return lastOf(field.sequence)
        case 'value':
          return `$${params.push(field.text)}`
      }
    })
    return `(${fields.join(', ')})`
  })
  return {
    text: `${intoTable(table, columns)} VALUES ${lists.join(', ')}${returning(table)}`,
    params,
    rowCount: rows.length,
  }
}
