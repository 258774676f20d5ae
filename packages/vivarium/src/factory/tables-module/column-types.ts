import type { Column, ColumnType } from '../catalogue/catalogue.ts'

/** How enums are named in the module. */
export type NameOfEnum = (type: Extract<ColumnType, { readonly kind: 'enum' }>) => string

/** What TypeScript knows of a value that a row has: what `readValue` makes of it. */
export function typeRead(type: ColumnType, nameOfEnum: NameOfEnum): string {
  switch (type.kind) {
    case 'enum':
      return nameOfEnum(type)
    case 'domain':
      return typeRead(type.base, nameOfEnum)
    case 'array':
      return listOf(typeRead(type.element, nameOfEnum))
    case 'range':
      return 'string'
    case 'multirange':
      return 'string[]'
    case 'composite':
      return objectOf(type, (part) => `${typeRead(part, nameOfEnum)} | null`)
    case 'base':
      return read[type.name] ?? 'string'
  }
}

/** What TypeScript lets a column be given: what `writeValue` takes. */
export function typeWritten(type: ColumnType, nameOfEnum: NameOfEnum): string {
  switch (type.kind) {
    case 'domain':
      return typeWritten(type.base, nameOfEnum)
    case 'array':
      return listOf(typeWritten(type.element, nameOfEnum))
    case 'composite':
      return objectOf(type, (part) => `${typeWritten(part, nameOfEnum)} | null`)
    case 'base':
      return written[type.name] ?? typeRead(type, nameOfEnum)
    case 'enum':
    case 'range':
    case 'multirange':
      return typeRead(type, nameOfEnum)
  }
}

/** Whether a row can do without a value for the column, as the database or nobody gives it one. */
export function isOptional({ isNullable, default: expression, identity }: Column): boolean {
  return isNullable || expression !== undefined || identity !== undefined
}

/** Whether a column can be given a value. */
export function isGiven({ generated, identity }: Column): boolean {
  return generated === undefined && identity !== 'always'
}

const read: Readonly<Record<string, string>> = {
  bool: 'boolean',
  int2: 'number',
  int4: 'number',
  int8: 'number',
  oid: 'number',
  float4: 'number',
  float8: 'number',
  json: 'unknown',
  jsonb: 'unknown',
  bytea: 'Uint8Array',
  timestamp: 'Date',
  timestamptz: 'Date',
}

const written: Readonly<Record<string, string>> = {
  int8: 'number | bigint',
  numeric: 'string | number',
  money: 'string | number',
  date: 'string | Date',
  timestamp: 'Date | string',
  timestamptz: 'Date | string',
}

function listOf(element: string): string {
  return /^\w+$/.test(element) ? `${element}[]` : `(${element})[]`
}

function objectOf(
  { attributes }: Extract<ColumnType, { readonly kind: 'composite' }>,
  typeOf: (type: ColumnType) => string,
): string {
  return `{ ${attributes.map(({ name, type }) => `${propertyName(name)}: ${typeOf(type)}`).join('; ')} }`
}

/** A name as an object's key. */
export function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : textOf(name)
}

/** A text in single quotes. */
export function textOf(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}
