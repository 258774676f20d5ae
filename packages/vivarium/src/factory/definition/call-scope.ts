import type { Catalogue, Table } from '../catalogue/catalogue.ts'
import { titleOf } from '../catalogue/catalogue.ts'
import { camelCased, singularOf } from '../catalogue/english.ts'
import { findTable, tableNamed } from '../catalogue/find-table.ts'
import { completeValues } from '../plan/complete-values.ts'
import type { Numbers } from '../plan/complete-values.ts'
import { newPlan, Reference } from '../plan/row-plan.ts'
import type { RowPlan } from '../plan/row-plan.ts'
import type { Adjustments, Association } from './association.ts'
import { factoryUnknown } from './definition-errors.ts'
import { Draft } from './draft.ts'
import { adjustmentsOf, defaultsOf } from './written-factory.ts'
import type { Layer, Written, WrittenFactory } from './written-factory.ts'

/** How the columns of rows are named. */
export type ColumnNaming = 'database' | 'camel'

/** What a call is made in. */
export interface CallSurroundings {
  readonly catalogue: Catalogue
  readonly numbers: Numbers
  readonly factories: ReadonlyMap<string, WrittenFactory>
  readonly naming: ColumnNaming
  /** What an object was built by, if a factory did. */
  findBuilt(
    object: object,
  ): { readonly factory: WrittenFactory | undefined; readonly table: Table; readonly params: Written } | undefined
}

/** One call of a collection: `insert`, `buildList`, … What it shares among the rows that it makes. */
export class CallScope {
  readonly catalogue: Catalogue
  /** Attributes that are being worked out just now, the innermost last. */
  readonly path: string[] = []
  readonly #in: CallSurroundings
  readonly #shared = new Map<Association<never>, Draft>()
  /** By what stands for them: views that lazy attributes were shown, objects that were built. */
  readonly #drafts = new WeakMap<object, Draft>()

  constructor(surroundings: CallSurroundings) {
    this.#in = surroundings
    this.catalogue = surroundings.catalogue
  }

  /** The name in use of a column or a parent. */
  readonly nameOf = (name: string): string => (this.#in.naming === 'camel' ? camelCased(name) : name)

  /** Values by the names in use. */
  named(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [this.nameOf(name), value]))
  }

  /** A row of the factory or the table of that name. Throws `FACTORY_UNKNOWN`, `FACTORY_TRAIT_UNKNOWN`. */
  draft(name: string, adjustments: Adjustments, index: number, trail: readonly string[] = []): Draft {
    const factory = this.#in.factories.get(name)
    if (factory === undefined && findTable(this.catalogue, name) === undefined) throw this.#unknown(name)
    const table = tableNamed(this.catalogue, factory?.table ?? name)
    const layers = [
      ...defaultsOf(factory),
      ...adjustmentsOf(factory, factory === undefined ? titleOf(table) : `'${name}'`, adjustments),
    ]
    return new Draft({ scope: this, table, factory, layers, index, trail })
  }

  /** The row that nothing but its attributes is said of: by the factory that was written first for its table. */
  nested(table: Table, attributes: Written, trail: readonly string[] = []): Draft {
    // What takes another's place in a collection has its place in this order, too.
    const factory = [...this.#in.factories.values()].find(
      ({ table: name }) => findTable(this.catalogue, name) === table,
    )
    const layers = [...defaultsOf(factory), ...adjustmentsOf(factory, titleOf(table), [attributes])]
    return new Draft({ scope: this, table, factory, layers, trail })
  }

  associated(association: Association<never>, trail: readonly string[]): Draft {
    const known = association.isShared ? this.#shared.get(association) : undefined
    if (known !== undefined) return known
    const draft = this.draft(association.factory, association.adjustments, 0, trail)
    if (association.isShared) this.#shared.set(association, draft)
    return draft
  }

  /** The row that an object stands for: what a lazy attribute was shown, or what was built. */
  draftOf(object: object, adjustments: Adjustments = []): Draft | undefined {
    const known = this.#drafts.get(object)
    if (known !== undefined) return known
    const built = this.#in.findBuilt(object)
    if (built === undefined) return undefined
    const own: Layer = { attributes: { ...built.params, ...object }, source: 'what was built', isWritten: false }
    const layers = [own, ...adjustmentsOf(built.factory, titleOf(built.table), adjustments)]
    const draft = new Draft({ scope: this, table: built.table, factory: built.factory, layers, builtFrom: object })
    this.#drafts.set(object, draft)
    return draft
  }

  /** What lazy attributes see of a row. */
  show(draft: Draft, read: (name: string) => unknown): object {
    const view = new Proxy(Object.freeze({}), {
      // `then`: who returns it from an async function gets it back. `toJSON`: printing it is no reading.
      get: (_, name) => (typeof name === 'symbol' || name === 'then' || name === 'toJSON' ? undefined : read(name)),
    })
    this.#drafts.set(view, draft)
    return view
  }

  /** Values for the columns that nobody gives one. What is said and not known yet is there as `undefined`. */
  complete(
    table: Table,
    said: ReadonlyMap<string, { readonly value: unknown } | undefined>,
  ): ReadonlyMap<string, unknown> {
    const { numbers } = this.#in
    const row = (values: Map<string, unknown>): RowPlan =>
      newPlan({ id: numbers.next('rows'), table, values, given: new Set(said.keys()) })
    const unknown = row(new Map())
    const values = new Map(
      [...said].map(([column, known]) => [column, known === undefined ? new Reference(unknown, column) : known.value]),
    )
    completeValues(row(values), numbers)
    return new Map([...values].filter(([column]) => !said.has(column)))
  }

  #unknown(name: string): Error {
    const tables = this.catalogue.tables.filter(({ isPartition }) => !isPartition).map(titleOf)
    return factoryUnknown(name, [...this.#in.factories.keys()], [...tables, ...tables.map(singularOf)])
  }
}
