import type { Catalogue, Column, ColumnType, Table } from '../catalogue/catalogue.ts'
import { titleOf } from '../catalogue/catalogue.ts'
import { camelCased } from '../catalogue/english.ts'
import { referencedTable } from '../catalogue/find-table.ts'
import { parentNames } from '../plan/attributes.ts'
import { isGiven, isOptional, propertyName, textOf, typeRead, typeWritten } from './column-types.ts'

/** Options of {@link writeTablesModule}. */
export interface TablesModuleOptions {
  /** How columns are named. */
  readonly naming: 'database' | 'camel'
}

const header = `// Written by \`npx vivarium types\` from the database that the migrations make. Do not edit:
// run it again when they change. \`npx vivarium types --check\` fails while this file says something else.
`

/** A TypeScript module of the tables: for each what a row has, what may be given, and the tables that it refers to. */
export function writeTablesModule(catalogue: Catalogue, { naming }: TablesModuleOptions): string {
  const tables = catalogue.tables.filter(({ isPartition }) => !isPartition).toSorted(byTitle)
  const enums = new Map<string, readonly string[]>()
  const nameOfEnum = enumNames(enums)
  const nameOf = (name: string): string => propertyName(naming === 'camel' ? camelCased(name) : name)
  const property = (column: Column, mark: string, type: string): readonly string[] => [
    ...(column.comment === undefined
      ? []
      : [`      /** ${column.comment.replaceAll(/\s+/g, ' ').replaceAll('*/', '* /')} */`]),
    `      ${nameOf(column.name)}${mark}: ${type}${column.isNullable && type !== 'unknown' ? ' | null' : ''}`,
  ]
  const written = tables.map((table) => [
    `  ${propertyName(titleOf(table))}: {`,
    ...object(
      'row',
      table.columns.flatMap((column) => property(column, '', typeRead(column.type, nameOfEnum))),
    ),
    ...object(
      'insert',
      table.columns
        .filter(isGiven)
        .flatMap((column) => property(column, isOptional(column) ? '?' : '', typeWritten(column.type, nameOfEnum))),
    ),
    ...object('parents', parentsOf(catalogue, table, nameOf)),
    '  }',
  ])
  const unions = [...enums].map(
    ([name, labels]) => `export type ${name} = ${labels.length === 0 ? 'never' : labels.map(textOf).join(' | ')}\n`,
  )
  return [header, ...unions, `export interface Tables {\n${written.flat().join('\n')}\n}\n`].join('\n')
}

function byTitle(one: Table, other: Table): number {
  const [left, right] = [titleOf(one), titleOf(other)]
  return left < right ? -1 : left > right ? 1 : 0
}

function object(name: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [`    ${name}: object`] : [`    ${name}: {`, ...lines, '    }']
}

function parentsOf(catalogue: Catalogue, table: Table, nameOf: (name: string) => string): readonly string[] {
  return table.foreignKeys.map((key) => {
    const [name = key.name] = parentNames(table, key)
    return `      ${nameOf(name)}: ${textOf(titleOf(referencedTable(catalogue, key)))}`
  })
}

/** Names enums as they come, each once: `order_status` is `OrderStatus`, one of the same name in another schema `OrderStatus2`. */
function enumNames(
  enums: Map<string, readonly string[]>,
): (type: Extract<ColumnType, { readonly kind: 'enum' }>) => string {
  const known = new Map<string, string>()
  return ({ sql, name, labels }) => {
    const before = known.get(sql)
    if (before !== undefined) return before
    const camel = camelCased(name).replaceAll(/[^\w$]/g, '')
    const pascal = `${/^\d|^$/.test(camel) ? '_' : ''}${camel.charAt(0).toUpperCase()}${camel.slice(1)}`
    const free = (number: number): string => {
      const candidate = number === 1 ? pascal : `${pascal}${number}`
      return enums.has(candidate) || candidate === 'Tables' ? free(number + 1) : candidate
    }
    const chosen = free(1)
    known.set(sql, chosen)
    enums.set(chosen, labels)
    return chosen
  }
}
