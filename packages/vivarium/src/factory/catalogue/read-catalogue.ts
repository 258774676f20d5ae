import type {
  Catalogue,
  Check,
  Column,
  ColumnType,
  ForeignKey,
  KeyElement,
  Policy,
  Table,
  UniqueKey,
} from './catalogue.ts'
import { tablesQuery, typesQuery } from './catalogue-queries.ts'

interface TypeRow {
  readonly name: string
  readonly sql: string
  readonly kind: string
  readonly category: string
  readonly element: string | null
  readonly base: string
  readonly baseSql: string
  readonly modifier: number
  readonly nullable: boolean
  readonly default: string | null
  readonly labels: readonly string[] | null
  readonly subtype: string | null
  readonly range: string | null
  readonly checks: readonly Check[] | null
  readonly attributes: readonly { readonly name: string; readonly type: string }[] | null
}

interface ColumnRow {
  readonly name: string
  readonly type: string
  readonly sql: string
  readonly modifier: number
  readonly nullable: boolean
  readonly identity: string
  readonly generated: string
  readonly default: string | null
  readonly sequence: string | null
  readonly comment: string | null
}

interface UniqueKeyRow {
  readonly name: string
  readonly primary: boolean
  readonly predicate: string | null
  readonly nullsNotDistinct: boolean
  readonly elements: readonly { readonly column: string | null; readonly sql: string }[]
}

interface ForeignKeyRow {
  readonly name: string
  readonly columns: readonly string[]
  readonly references: readonly string[]
  readonly schema: string
  readonly table: string
  readonly match: string
  readonly deferrable: boolean
  readonly deferred: boolean
}

interface TableRow {
  readonly schema: string
  readonly name: string
  readonly visible: boolean
  readonly kind: string
  readonly partition: boolean
  /** What is true of each row of a partition. */
  readonly bound: string | null
  readonly rowSecurity: boolean
  readonly forced: boolean
  readonly triggers: boolean
  readonly columns: readonly ColumnRow[] | null
  readonly uniqueKeys: readonly UniqueKeyRow[] | null
  readonly foreignKeys: readonly ForeignKeyRow[] | null
  readonly checks: readonly Check[] | null
  readonly exclusions:
    | readonly {
        readonly name: string
        readonly predicate: string | null
        readonly elements: readonly { readonly sql: string; readonly operator: string }[]
      }[]
    | null
  readonly partitions:
    | readonly {
        readonly schema: string
        readonly name: string
        readonly bound: string
        readonly constraint: string | null
      }[]
    | null
  readonly policies:
    | readonly { readonly name: string; readonly permissive: boolean; readonly check: string | null }[]
    | null
}

/** What reads a catalogue: asks for one text of JSON. */
export interface CatalogueSource {
  /** `17` of `17.2`. */
  readonly serverVersion: number
  /** The first column of the only row. */
  readText(query: string): Promise<string | null>
}

/** Reads what the database holds, in two statements that are sent together. */
export async function readCatalogue(source: CatalogueSource): Promise<Catalogue> {
  const [tables, types] = await Promise.all([
    source.readText(tablesQuery(source.serverVersion)),
    source.readText(typesQuery),
  ])
  const readType = typeReader(JSON.parse(types ?? '{}') as Record<string, TypeRow>)
  const rows = JSON.parse(tables ?? '[]') as readonly TableRow[]
  return { tables: rows.map((row) => readTable(row, readType)) }
}

/** Reads the type of an oid; `sql` is how a column names it. */
type ReadType = (oid: string, sql?: string) => ColumnType

function typeReader(rows: Readonly<Record<string, TypeRow>>): ReadType {
  const read: ReadType = (oid, asked) => {
    const row = rows[oid]
    if (row === undefined) return { kind: 'base', name: 'unknown', sql: asked ?? 'text' }
    const named = { name: row.name, sql: asked ?? row.sql }
    if (row.kind === 'e') return { ...named, kind: 'enum', labels: row.labels ?? [] }
    if (row.kind === 'd') {
      const base = read(row.base, row.baseSql)
      return {
        ...named,
        kind: 'domain',
        base,
        isNullable: row.nullable && (base.kind !== 'domain' || base.isNullable),
        default: row.default ?? (base.kind === 'domain' ? base.default : undefined),
        checks: (row.checks ?? []).map(({ name, sql }) => ({ name, sql: withoutCheck(sql) })),
        ...readModifier(base.name, row.modifier),
      }
    }
    if (row.kind === 'r') return { ...named, kind: 'range', subtype: read(row.subtype ?? '') }
    if (row.kind === 'm') return { ...named, kind: 'multirange', range: read(row.range ?? '') }
    if (row.kind === 'c') {
      const attributes = (row.attributes ?? []).map(({ name, type }) => ({ name, type: read(type) }))
      return { ...named, kind: 'composite', attributes }
    }
    if (row.element !== null && row.element !== '0') return { ...named, kind: 'array', element: read(row.element) }
    return { ...named, kind: 'base' }
  }
  return read
}

/** `CHECK ((VALUE > 0))` without its frame. */
function withoutCheck(definition: string): string {
  return /^CHECK \((.*)\)(?: NOT VALID| NO INHERIT| NOT ENFORCED)*$/s.exec(definition)?.[1] ?? definition
}

// Four bytes of header come first in a modifier of a length (PostgreSQL source, VARHDRSZ).
const header = 4
const withLength: ReadonlySet<string> = new Set(['varchar', 'bpchar'])

function readModifier(type: string, modifier: number): Pick<Column, 'length' | 'precision' | 'scale'> {
  const none = { length: undefined, precision: undefined, scale: undefined }
  if (modifier < 0) return none
  if (withLength.has(type)) return { ...none, length: modifier - header }
  if (type === 'bit' || type === 'varbit') return { ...none, length: modifier }
  if (type !== 'numeric') return none
  const packed = modifier - header
  // Eleven bits with a sign since PostgreSQL 15.
  return { ...none, precision: (packed >> 16) & 0xffff, scale: ((packed & 0x7ff) ^ 1024) - 1024 }
}

function readTable(row: TableRow, readType: ReadType): Table {
  const uniqueKeys = (row.uniqueKeys ?? []).map(readUniqueKey)
  return {
    schema: row.schema,
    name: row.name,
    isVisible: row.visible,
    columns: (row.columns ?? []).map((column) => readColumn(column, readType)),
    primaryKey: row.uniqueKeys?.[0]?.primary === true ? uniqueKeys[0] : undefined,
    uniqueKeys,
    foreignKeys: (row.foreignKeys ?? []).map(readForeignKey),
    checks: [...(row.checks ?? []), ...(row.bound === null ? [] : [{ name: `partition ${row.name}`, sql: row.bound }])],
    exclusions: (row.exclusions ?? []).map((one) => ({ ...one, predicate: one.predicate ?? undefined })),
    isPartitioned: row.kind === 'p',
    isPartition: row.partition,
    partitions: (row.partitions ?? []).map(({ schema, name, bound, constraint }) => ({
      schema,
      name,
      constraint: constraint ?? undefined,
      isDefault: bound === 'DEFAULT',
    })),
    hasTriggers: row.triggers,
    rowSecurity: row.rowSecurity ? (row.forced ? 'forced' : 'on') : 'off',
    policies: (row.policies ?? []).map(({ name, permissive, check }): Policy => ({
      name,
      isPermissive: permissive,
      check: check ?? undefined,
    })),
  }
}

function readColumn(row: ColumnRow, readType: ReadType): Column {
  const type = readType(row.type, row.sql)
  const domainDefault = type.kind === 'domain' ? type.default : undefined
  return {
    name: row.name,
    type,
    isNullable: row.nullable && (type.kind !== 'domain' || type.isNullable),
    default: row.default ?? domainDefault,
    identity: row.identity === 'a' ? 'always' : row.identity === 'd' ? 'by default' : undefined,
    generated: row.generated === 's' ? 'stored' : row.generated === 'v' ? 'virtual' : undefined,
    sequence: row.sequence ?? undefined,
    ...(type.kind === 'domain'
      ? { length: type.length, precision: type.precision, scale: type.scale }
      : readModifier(type.kind === 'array' ? type.element.name : type.name, row.modifier)),
    comment: row.comment ?? undefined,
  }
}

function readUniqueKey(row: UniqueKeyRow): UniqueKey {
  return {
    name: row.name,
    elements: row.elements.map(({ column, sql }): KeyElement =>
      column === null ? { kind: 'expression', sql } : { kind: 'column', column },
    ),
    predicate: row.predicate ?? undefined,
    nullsNotDistinct: row.nullsNotDistinct,
  }
}

function readForeignKey(row: ForeignKeyRow): ForeignKey {
  return {
    name: row.name,
    columns: row.columns,
    schema: row.schema,
    table: row.table,
    references: row.references,
    deferrable: row.deferred ? 'deferred' : row.deferrable ? 'immediate' : 'no',
    match: row.match === 'f' ? 'full' : 'simple',
  }
}
