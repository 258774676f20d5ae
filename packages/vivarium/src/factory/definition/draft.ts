import type { ForeignKey, Table } from '../catalogue/catalogue.ts'
import { titleOf } from '../catalogue/catalogue.ts'
import { referencedTable } from '../catalogue/find-table.ts'
import { findInserted } from '../engine/sandbox-factory.ts'
import { columnNamed, keyNamed, parentNames } from '../plan/attributes.ts'
import type { InsertedRow } from '../plan/attributes.ts'
import type { RowRequest } from '../plan/row-request.ts'
import { isAssociation } from './association.ts'
import type { CallScope } from './call-scope.ts'
import {
  attributeUnknown,
  definitionInvalid,
  factoryCycle,
  keyUnknown,
  lazyCycle,
  otherTable,
  parentRefused,
  promiseRefused,
} from './definition-errors.ts'
import { isSequence } from './sequence.ts'
import { paramsOf } from './written-factory.ts'
import type { Layer, WrittenFactory } from './written-factory.ts'

/** What a row has said of one of its columns or parents. */
interface Saying {
  /** The name that was used. */
  readonly name: string
  readonly value: unknown
  readonly isWritten: boolean
}

/** A value that is worked out once: not yet, just now, done. */
type Cell = { readonly state: 'running' } | { readonly state: 'done'; readonly value: unknown }

/** A row that is referred to: one that is to be made, one that is there, or none. */
type Parent = Draft | InsertedRow | null

/** What a draft is made of. */
export interface DraftParts {
  readonly scope: CallScope
  readonly table: Table
  readonly factory: WrittenFactory | undefined
  readonly layers: readonly Layer[]
  /** Which defaults led here, as `user.team`. */
  readonly trail?: readonly string[]
  /** Its place in the list that is made, from 0. */
  readonly index?: number
  /** The object that it was read from, where that was built before. */
  readonly builtFrom?: object
}

/**
 * One row that is to be made, with everything that is said of it: attributes by layers, later ones in place of earlier ones, worked out when they are
 * needed, and once.
 */
export class Draft {
  readonly scope: CallScope
  readonly table: Table
  readonly factory: WrittenFactory | undefined
  readonly params: Readonly<Record<string, unknown>>
  readonly index: number
  readonly builtFrom: object | undefined
  /** As messages name it: its factory, else its table. */
  readonly title: string
  readonly #trail: readonly string[]
  readonly #columns = new Map<string, Saying>()
  readonly #parents = new Map<ForeignKey, Saying>()
  readonly #values = new Map<string, Cell>()
  readonly #rows = new Map<ForeignKey, Cell>()
  #request: RowRequest | undefined
  #made: ReadonlyMap<string, unknown> | undefined
  #view: object | undefined

  constructor({ scope, table, factory, layers, trail = [], index = 0, builtFrom }: DraftParts) {
    this.scope = scope
    this.table = table
    this.factory = factory
    this.index = index
    this.builtFrom = builtFrom
    this.title = factory?.name ?? titleOf(table)
    this.#trail = trail
    const params: Record<string, unknown> = { ...paramsOf(factory) }
    for (const name of Object.keys(params)) this.#refuseAmbiguous(name)
    this.params = params
    for (const { attributes, source, isWritten } of layers) {
      for (const [name, value] of Object.entries(attributes)) {
        if (value === undefined) continue
        if (Object.hasOwn(params, name)) params[name] = value
        else this.#say({ name, value, isWritten }, source)
      }
    }
  }

  /** What the engine is asked for. */
  get request(): RowRequest {
    if (this.#request !== undefined) return this.#request
    const values: Record<string, unknown> = {}
    const parents: Record<string, RowRequest> = {}
    for (const key of this.#parents.keys()) {
      const parent = this.#parentOf(key)
      if (parent instanceof Draft) parents[key.name] = parent.request
      else for (const [column, value] of keyValues(this.table, key, parent)) values[column] = value
    }
    for (const column of this.#columns.keys()) values[column] = this.#valueOf(column)
    for (const [column, value] of this.#made ?? []) values[column] ??= value
    return (this.#request = { table: this.table, values, parents, origin: this })
  }

  /** The row as lazy attributes see it: what is said of it, and what is made where nothing was said. */
  get view(): object {
    return (this.#view ??= this.scope.show(this, (name) => this.#read(name)))
  }

  #refuseAmbiguous(param: string): void {
    if (columnNamed(this.table, param) === undefined && keyNamed(this.table, param) === undefined) return
    throw definitionInvalid(
      `Factory '${this.title}' has a param '${param}', and ${titleOf(this.table)} has an attribute of that name.`,
      undefined,
      'Give the param another name; what is a column needs none.',
    )
  }

  #say(saying: Saying, source: string): void {
    const column = columnNamed(this.table, saying.name)
    const key = column === undefined ? keyNamed(this.table, saying.name) : undefined
    if (column !== undefined) {
      this.#columns.set(column, saying)
      for (const parent of this.#parents.keys()) {
        if (ownColumns(this.table, parent).every((one) => this.#columns.has(one)) && parent.columns.includes(column)) {
          this.#parents.delete(parent)
        }
      }
    } else if (key !== undefined) {
      this.#parents.set(key, saying)
      for (const one of ownColumns(this.table, key)) this.#columns.delete(one)
    } else {
      throw attributeUnknown(this.title, saying.name, source, this.#known())
    }
  }

  #known(): { readonly attributes: readonly string[]; readonly params: readonly string[] } {
    const { columns, foreignKeys } = this.table
    const parents = foreignKeys.map((key) => parentNames(this.table, key)[0] ?? key.name)
    const { nameOf } = this.scope
    return {
      attributes: [...columns.map(({ name }) => nameOf(name)), ...parents.map(nameOf)],
      params: Object.keys(this.params),
    }
  }

  /** An attribute or a param, for a lazy attribute. */
  #read(name: string): unknown {
    if (Object.hasOwn(this.params, name)) return this.params[name]
    const column = columnNamed(this.table, name)
    if (column !== undefined) return this.#columnSeen(column)
    const key = keyNamed(this.table, name)
    if (key === undefined) throw attributeUnknown(this.title, name, 'a lazy attribute', this.#known())
    const parent = this.#parents.has(key) ? this.#parentOf(key) : this.#neededParent(key)
    if (parent instanceof Draft) return parent.view
    return parent === null ? null : this.scope.named(parent.values)
  }

  #columnSeen(column: string): unknown {
    if (this.#columns.has(column)) return this.#valueOf(column)
    for (const key of this.#parents.keys()) {
      if (!key.columns.includes(column)) continue
      const parent = this.#parentOf(key)
      const reference = key.references[key.columns.indexOf(column)] ?? ''
      const value = parent instanceof Draft ? parent.#saidValue(reference) : parent?.values[reference]
      if (value !== undefined || parent === null) return value ?? null
      throw keyUnknown(this.title, this.scope.nameOf(column), parentNames(this.table, key)[0] ?? key.name)
    }
    return this.#madeValues().get(column)
  }

  #saidValue(column: string): unknown {
    return this.#columns.has(column) ? this.#valueOf(column) : undefined
  }

  /** What the engine makes of the columns of which nothing was said. */
  #madeValues(): ReadonlyMap<string, unknown> {
    return (this.#made ??= this.scope.complete(this.table, this.#saidColumns()))
  }

  /** Columns that are given a value, with those that are known by now. */
  #saidColumns(): ReadonlyMap<string, { readonly value: unknown } | undefined> {
    const said = new Map<string, { readonly value: unknown } | undefined>()
    for (const { columns } of this.table.foreignKeys) for (const column of columns) said.set(column, undefined)
    for (const [column, { value }] of this.#columns) {
      const cell = this.#values.get(column)
      const isPlain = typeof value !== 'function' && !isSequence(value)
      said.set(column, cell?.state === 'done' ? cell : isPlain ? { value } : undefined)
    }
    return said
  }

  #valueOf(column: string): unknown {
    const saying = this.#columns.get(column)
    if (saying === undefined) return undefined
    return this.#once(this.#values, column, saying, (value) => {
      if (value instanceof Promise) throw promiseRefused(this.title, saying.name)
      return value
    })
  }

  #parentOf(key: ForeignKey): Parent {
    const saying = this.#parents.get(key)
    if (saying === undefined) return null
    return this.#once(this.#rows, key, saying, (value) => this.#toParent(key, saying, value)) as Parent
  }

  /** The parent that a row has though nothing was said of it. */
  #neededParent(key: ForeignKey): Parent {
    const columns = this.table.columns.filter(({ name }) => key.columns.includes(name))
    if (columns.some(({ isNullable }) => isNullable)) return null
    this.#parents.set(key, { name: parentNames(this.table, key)[0] ?? key.name, value: {}, isWritten: true })
    return this.#parentOf(key)
  }

  /** Works a value out once; functions are called with the row, sequences go on. */
  #once<K extends string | ForeignKey>(
    cells: Map<K, Cell>,
    at: K,
    saying: Saying,
    take: (value: unknown) => unknown,
  ): unknown {
    const known = cells.get(at)
    if (known?.state === 'done') return known.value
    const path = this.scope.path
    const here = `${this.title}.${saying.name}`
    if (known !== undefined) throw lazyCycle([...path.slice(path.lastIndexOf(here)), here])
    cells.set(at, { state: 'running' })
    path.push(here)
    try {
      const value = take(this.#evaluate(saying.value))
      cells.set(at, { state: 'done', value })
      return value
    } finally {
      path.pop()
      if (cells.get(at)?.state === 'running') cells.delete(at)
    }
  }

  #evaluate(value: unknown): unknown {
    const given: unknown =
      typeof value === 'function' ? (value as Lazy)(this.view, { params: this.params, index: this.index }) : value
    return isSequence(given) ? given.next() : given
  }

  #toParent(key: ForeignKey, { name, isWritten }: Saying, value: unknown): Parent {
    const { scope } = this
    const table = referencedTable(scope.catalogue, key)
    if (value === null) return null
    if (value instanceof Promise) throw promiseRefused(this.title, name)
    const trail = this.#trailTo(name, isWritten)
    if (isAssociation(value)) {
      const parent = scope.associated(value, trail)
      if (parent.table !== table) throw otherTable(this.title, name, titleOf(table), titleOf(parent.table))
      return parent
    }
    if (typeof value !== 'object' || Array.isArray(value)) throw parentRefused(this.title, name, value)
    const seen = scope.draftOf(value as object)
    const inserted = seen === undefined ? findInserted(value as object) : undefined
    const there = seen?.table ?? inserted?.table
    if (there !== undefined && titleOf(there) !== titleOf(table)) {
      throw otherTable(this.title, name, titleOf(table), titleOf(there))
    }
    return seen ?? inserted ?? scope.nested(table, value as Readonly<Record<string, unknown>>, trail)
  }

  #trailTo(name: string, isWritten: boolean): readonly string[] {
    const step = `${this.title}.${name}`
    const start = this.#trail.indexOf(step)
    if (isWritten && start >= 0) throw factoryCycle([...this.#trail.slice(start), step])
    return [...this.#trail, step]
  }
}

type Lazy = (
  row: object,
  context: { readonly params: Readonly<Record<string, unknown>>; readonly index: number },
) => unknown

/** Columns that no other foreign key of the table has. */
function ownColumns({ foreignKeys }: Table, key: ForeignKey): readonly string[] {
  const own = key.columns.filter((column) =>
    foreignKeys.every((other) => other === key || !other.columns.includes(column)),
  )
  return own.length === 0 ? key.columns : own
}

/** What a key's columns are for a row that is there, or for none. */
function keyValues(table: Table, key: ForeignKey, parent: InsertedRow | null): readonly (readonly [string, unknown])[] {
  if (parent === null) return ownColumns(table, key).map((column) => [column, null] as const)
  return key.columns.map((column, index) => [column, parent.values[key.references[index] ?? '']] as const)
}
