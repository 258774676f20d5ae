import type { Table } from '../catalogue/catalogue.ts'

/**
 * One row that is to be made: what is said of it. What is not said, the engine makes: values of columns that have no default,
 * and the rows that its foreign keys need.
 */
export interface RowRequest {
  readonly table: Table
  /** What columns are given, by the database's own names. `undefined` gives nothing. */
  readonly values: Readonly<Record<string, unknown>>
  /** Rows to be made first, for its foreign keys, by the keys' names. A request that several share is made once. */
  readonly parents: Readonly<Record<string, RowRequest>>
  /** Who asks for it: kept in its plan. */
  readonly origin?: object
}

/** What makes the requests for rows that nothing was said of, but that foreign keys need. */
export type RequestParent = (table: Table) => RowRequest

/** A row of which nothing is said. */
export const plainRequest: RequestParent = (table) => ({ table, values: {}, parents: {} })
