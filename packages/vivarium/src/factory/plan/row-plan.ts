import type { Table } from '../catalogue/catalogue.ts'

/** A value that a column takes from another row: known when that one is inserted. */
export class Reference {
  readonly row: RowPlan
  readonly column: string

  constructor(row: RowPlan, column: string) {
    this.row = row
    this.column = column
  }
}

/** A row as it is going to be inserted. */
export interface RowPlan {
  /** Its number among the rows of its sandbox. */
  readonly id: number
  readonly table: Table
  /** By column; one that is not here is left to the database. */
  readonly values: Map<string, unknown>
  /** Columns that were given; the others were made. */
  readonly given: ReadonlySet<string>
  /** Rows that must be there before it, by the name of the foreign key. */
  readonly parents: Map<string, RowPlan>
  /** Columns whose value is to be taken from their sequence beforehand: another row refers to them before this one exists. */
  readonly reserved: Set<string>
  /** Rows that it refers to and that come after it: its keys to them must be checked at the transaction's end. */
  readonly followers: RowPlan[]
  /** Who asked for it, where that was said. */
  readonly origin?: object | undefined
}

/** A row of which no more is known than what it is given. */
export function newPlan(parts: Pick<RowPlan, 'id' | 'table' | 'values' | 'given' | 'origin'>): RowPlan {
  const { id, table, values, given, origin } = parts
  return { id, table, values, given, parents: new Map(), reserved: new Set(), followers: [], origin }
}

/** The columns whose value was made: not given, and no parent's. */
export function madeColumns({ values, given }: RowPlan): readonly string[] {
  return [...values].flatMap(([name, value]) => (given.has(name) || value instanceof Reference ? [] : [name]))
}

/** What a column has; a reference to a row whose own value is known already is followed to it. */
export function valueOf(row: RowPlan, column: string): unknown {
  const value = row.values.get(column)
  if (!(value instanceof Reference)) return value
  const followed = valueOf(value.row, value.column)
  return followed === undefined ? value : followed
}
