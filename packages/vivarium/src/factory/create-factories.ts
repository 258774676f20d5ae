import type { Catalogue, Table } from './catalogue/catalogue.ts'
import { referencedTable } from './catalogue/find-table.ts'
import { camelCased } from './catalogue/english.ts'
import { findInserted, markInserted, SandboxFactory } from './engine/sandbox-factory.ts'
import type { MakeRequests, Row } from './engine/sandbox-factory.ts'
import { toRequest } from './plan/attributes.ts'
import type { Attributes } from './plan/attributes.ts'
import { builtRow, paramsOf } from './plan/built-row.ts'

/** Options of {@link createFactories}. */
export interface FactoryOptions {
  /**
   * How the columns of rows are named: as the database names them, or in camelCase. Both are understood of what is given.
   * @default 'database'
   */
  naming?: 'database' | 'camel'
}

/** What makes rows, by the names of their tables. */
export interface Factories {
  /**
   * Inserts a row, and the rows that its foreign keys need. Resolves to it as the database holds it, with defaults and
   * generated columns.
   *
   * @throws VivariumError NO_SANDBOX, FACTORY_…
   */
  insert(name: string, attributes?: Attributes): Promise<Row>
  /** Inserts `count` rows, each with parents of its own: one statement for each table. */
  insertList(count: number, name: string, attributes?: Attributes): Promise<Row[]>
  insertPair(name: string, attributes?: Attributes): Promise<[Row, Row]>
  /** A row that could be inserted, and within it its parents; nothing is inserted. What the database gives itself is left out. */
  build(name: string, attributes?: Attributes): Promise<Row>
  buildList(count: number, name: string, attributes?: Attributes): Promise<Row[]>
  buildPair(name: string, attributes?: Attributes): Promise<[Row, Row]>
  /** What a form or a request would say of such a row: no keys to other rows, nothing that the database gives itself, no nulls. */
  paramsFor(name: string, attributes?: Attributes): Promise<Row>
}

/**
 * Factories with options of their own.
 *
 * @example
 * ```ts
 * import { createFactories } from 'vivarium/factory'
 *
 * export const { insert, insertList } = createFactories({ naming: 'camel' })
 * ```
 */
export function createFactories({ naming = 'database' }: FactoryOptions = {}): Factories {
  const named = (row: Row): Row =>
    naming === 'database'
      ? row
      : Object.fromEntries(Object.entries(row).map(([name, value]) => [camelCased(name), value]))

  const requests =
    (count: number, table: Table, attributes: Attributes): MakeRequests =>
    (catalogue) =>
      Array.from({ length: count }, () => toRequest(catalogue, currentOf(catalogue, table), attributes, findInserted))

  const insertList: Factories['insertList'] = async (count, name, attributes = {}) => {
    const factory = SandboxFactory.current()
    const table = await factory.table(name)
    const inserted = await factory.insert(requests(count, table, attributes))
    return inserted.map((one) => {
      const row = named(one.values)
      markInserted(row, one)
      return row
    })
  }
  const buildList: Factories['buildList'] = async (count, name, attributes = {}) => {
    const factory = SandboxFactory.current()
    const table = await factory.table(name)
    const plans = await factory.plan(requests(count, table, attributes)(await factory.catalogue()))
    return plans.map((plan) => builtRow(plan, named))
  }
  const one = async (rows: Promise<Row[]>): Promise<Row> => (await rows)[0] ?? {}
  const pair = async (rows: Promise<Row[]>): Promise<[Row, Row]> => {
    const [first = {}, second = {}] = await rows
    return [first, second]
  }
  return {
    insert: (name, attributes) => one(insertList(1, name, attributes)),
    insertList,
    insertPair: (name, attributes) => pair(insertList(2, name, attributes)),
    build: (name, attributes) => one(buildList(1, name, attributes)),
    buildList,
    buildPair: (name, attributes) => pair(buildList(2, name, attributes)),
    paramsFor: async (name, attributes = {}) => {
      const factory = SandboxFactory.current()
      const table = await factory.table(name)
      const [plan] = await factory.plan(requests(1, table, attributes)(await factory.catalogue()))
      return plan === undefined ? {} : named(paramsOf(plan))
    },
  }
}

/** The table as it is now: it may have been read again since it was found. */
function currentOf(catalogue: Catalogue, { schema, name }: Table): Table {
  return referencedTable(catalogue, { schema, table: name })
}

const factories: Factories = createFactories()

/** See {@link Factories.insert}. */
export const insert: Factories['insert'] = factories.insert
/** See {@link Factories.insertList}. */
export const insertList: Factories['insertList'] = factories.insertList
/** See {@link Factories.insertPair}. */
export const insertPair: Factories['insertPair'] = factories.insertPair
/** See {@link Factories.build}. */
export const build: Factories['build'] = factories.build
/** See {@link Factories.buildList}. */
export const buildList: Factories['buildList'] = factories.buildList
/** See {@link Factories.buildPair}. */
export const buildPair: Factories['buildPair'] = factories.buildPair
/** See {@link Factories.paramsFor}. */
export const paramsFor: Factories['paramsFor'] = factories.paramsFor
