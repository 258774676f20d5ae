/** What a database holds, as its own catalogue tells it. Plain data, immutable. */
export interface Catalogue {
  /** Tables that rows can be inserted into, partitions and inheriting tables included, by schema and name. */
  readonly tables: readonly Table[]
}

/** One table. */
export interface Table {
  readonly schema: string
  readonly name: string
  /** It is found without its schema: the search path leads to it. */
  readonly isVisible: boolean
  /** In the table's own order. */
  readonly columns: readonly Column[]
  readonly primaryKey: UniqueKey | undefined
  /** The primary key among them, unique indexes as well. */
  readonly uniqueKeys: readonly UniqueKey[]
  readonly foreignKeys: readonly ForeignKey[]
  readonly checks: readonly Check[]
  readonly exclusions: readonly Exclusion[]
  /** Where it is partitioned: a row must fit into one of these. */
  readonly partitions: readonly Partition[]
  readonly isPartitioned: boolean
  /** It is a part of another table, whose rows are reached through that one. */
  readonly isPartition: boolean
  /** Triggers of the application run when a row is inserted. */
  readonly hasTriggers: boolean
  readonly rowSecurity: 'off' | 'on' | 'forced'
  /** What policies ask of a new row. */
  readonly policies: readonly Policy[]
}

export interface Column {
  readonly name: string
  readonly type: ColumnType
  readonly isNullable: boolean
  /** The default's expression as Postgres prints it. */
  readonly default: string | undefined
  readonly identity: 'always' | 'by default' | undefined
  readonly generated: 'stored' | 'virtual' | undefined
  /** The sequence that its default or its identity takes the value from: schema-qualified and quoted. */
  readonly sequence: string | undefined
  /** Characters (`varchar(20)`, `char(3)`) or bits (`bit(8)`). */
  readonly length: number | undefined
  /** `numeric(10, 2)`: digits in all, and behind the point. */
  readonly precision: number | undefined
  readonly scale: number | undefined
  readonly comment: string | undefined
}

interface NamedType {
  /** As SQL names it, with its modifier where a column has one: `character varying(20)`, `"my schema".mood`, `integer[]`. */
  readonly sql: string
  /** Name in the catalogue without its schema: `int4`, `varchar`, `mood`. */
  readonly name: string
}

/** What a column holds. */
export type ColumnType =
  | (NamedType & { readonly kind: 'base' })
  | (NamedType & { readonly kind: 'enum'; readonly labels: readonly string[] })
  | (NamedType & {
      readonly kind: 'domain'
      readonly base: ColumnType
      readonly isNullable: boolean
      readonly default: string | undefined
      readonly checks: readonly Check[]
      readonly length: number | undefined
      readonly precision: number | undefined
      readonly scale: number | undefined
    })
  | (NamedType & { readonly kind: 'array'; readonly element: ColumnType })
  | (NamedType & { readonly kind: 'range'; readonly subtype: ColumnType })
  | (NamedType & { readonly kind: 'multirange'; readonly range: ColumnType })
  | (NamedType & { readonly kind: 'composite'; readonly attributes: readonly CompositeAttribute[] })

export interface CompositeAttribute {
  readonly name: string
  readonly type: ColumnType
}

/** A primary key, a unique constraint or a unique index. */
export interface UniqueKey {
  /** Name of the constraint, else of the index. */
  readonly name: string
  /** What must be unique together: a column's name, or an expression as Postgres prints it. */
  readonly elements: readonly KeyElement[]
  /** It holds only for rows of which this is true. */
  readonly predicate: string | undefined
  readonly nullsNotDistinct: boolean
}

export type KeyElement =
  | { readonly kind: 'column'; readonly column: string }
  | { readonly kind: 'expression'; readonly sql: string }

export interface ForeignKey {
  readonly name: string
  readonly columns: readonly string[]
  /** The table that it refers to. */
  readonly schema: string
  readonly table: string
  /** In the order of `columns`. */
  readonly references: readonly string[]
  readonly deferrable: 'no' | 'immediate' | 'deferred'
  /** `full`: all its columns are NULL, or none. */
  readonly match: 'simple' | 'full'
}

/** A CHECK constraint. */
export interface Check {
  readonly name: string
  /** The expression as Postgres prints it. In a domain's, `VALUE` is the value. */
  readonly sql: string
}

/** An exclusion constraint. */
export interface Exclusion {
  readonly name: string
  readonly elements: readonly { readonly sql: string; readonly operator: string }[]
  readonly predicate: string | undefined
}

/** A partition that holds rows itself. */
export interface Partition {
  readonly schema: string
  readonly name: string
  /** What is true of each of its rows; `undefined` where any row may be. */
  readonly constraint: string | undefined
  readonly isDefault: boolean
}

/** A policy for INSERT. */
export interface Policy {
  readonly name: string
  readonly isPermissive: boolean
  /** What must be true of a new row; `undefined` where anything may be. */
  readonly check: string | undefined
}

/** A table as messages name it: with its schema where it is not found without. */
export function titleOf(table: Table): string {
  return table.isVisible ? table.name : `${table.schema}.${table.name}`
}
