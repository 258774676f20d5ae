import type { ColumnType } from '../catalogue/catalogue.ts'
import { writeValue } from '../values/write-value.ts'
import { unknown } from './evaluate.ts'
import type { Value } from './evaluate.ts'

const numeric: ReadonlySet<string> = new Set(['int2', 'int4', 'int8', 'float4', 'float8', 'numeric', 'oid'])
const textual: ReadonlySet<string> = new Set([
  'bytea', 'text', 'varchar', 'bpchar', 'name', 'citext', 'uuid', 'date', 'timestamp', 'timestamptz', 'time', 'inet', 'cidr', 'char',
]) // prettier-ignore

/** The type below all domains. */
export function bareType(type: ColumnType): ColumnType {
  return type.kind === 'domain' ? bareType(type.base) : type
}

export function isNumeric(type: ColumnType): boolean {
  return numeric.has(bareType(type).name)
}

/** A column's value as constraints compare it. */
export function comparable(type: ColumnType, value: unknown): Value {
  if (value === null) return null
  const bare = bareType(type)
  if (bare.kind === 'array') {
    return Array.isArray(value) ? value.map((element: unknown) => comparable(bare.element, element)) : unknown
  }
  if (numeric.has(bare.name)) {
    const number = Number(value)
    return Number.isNaN(number) ? unknown : number
  }
  if (typeof value === 'boolean') return value
  const isText = bare.kind === 'enum' || bare.kind === 'range' || textual.has(bare.name)
  if (!isText) return unknown
  const written = writeValue(bare, value)
  return 'text' in written ? written.text : unknown
}
