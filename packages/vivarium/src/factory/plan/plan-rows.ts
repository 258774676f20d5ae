import type { Catalogue, ForeignKey, Table } from '../catalogue/catalogue.ts'
import { referencedTable } from '../catalogue/find-table.ts'
import { completeValues, isRandomUuid } from './complete-values.ts'
import type { Numbers } from './complete-values.ts'
import { cycleError, ruleBroken } from './plan-errors.ts'
import { newPlan, Reference, valueOf } from './row-plan.ts'
import type { RowPlan } from './row-plan.ts'
import type { RequestParent, RowRequest } from './row-request.ts'

/** What rows are planned with. */
export interface PlanContext {
  readonly catalogue: Catalogue
  readonly numbers: Numbers
  readonly requestParent: RequestParent
}

/** A row, and the key by which it needs the next one in line. */
interface Step {
  readonly row: RowPlan
  readonly key: ForeignKey
}

/** Rows with all that they need, parents before those that refer to them. */
export function planRows(requests: readonly RowRequest[], context: PlanContext): RowPlan[] {
  const planner = new Planner(context)
  return requests.map((request) => planner.plan(request, []))
}

/** A column of a parent, and what the row that refers to it has there already. */
type SharedValue = readonly [column: string, value: unknown]

class Planner {
  readonly #context: PlanContext
  /** A request that several rows share is planned once. */
  readonly #planned = new Map<RowRequest, RowPlan>()
  /** Requests that were given values of the rows that they are for. */
  readonly #completed = new Map<
    RowRequest,
    { readonly values: readonly SharedValue[]; readonly request: RowRequest }[]
  >()

  constructor(context: PlanContext) {
    this.#context = context
  }

  /** `below`: the rows that this one is made for, the nearest last. */
  plan(request: RowRequest, below: readonly Step[]): RowPlan {
    const known = this.#planned.get(request)
    if (known !== undefined) return known
    const { table } = request
    const given = Object.entries(request.values).filter(([, value]) => value !== undefined)
    const row = newPlan({
      id: this.#context.numbers.next('rows'),
      table,
      values: new Map(given),
      given: new Set(given.map(([column]) => column)),
      origin: request.origin,
    })
    this.#planned.set(request, row)
    for (const key of inOrder(table.foreignKeys, request)) this.#planParent(row, key, request, below)
    this.#complete(row, request, below)
    return row
  }

  /** Gives the row its values; where no value will do, a parent that it could have been without may. */
  #complete(row: RowPlan, request: RowRequest, below: readonly Step[]): void {
    for (;;) {
      const broken = completeValues(row, this.#context.numbers)
      if (broken === undefined) return
      const key = row.table.foreignKeys.find(
        ({ columns }) =>
          columns.some((column) => broken.columns.includes(column)) &&
          columns.some((column) => !row.values.has(column)),
      )
      if (key === undefined) throw ruleBroken(row.table, broken)
      this.#planParent(row, key, request, below, true)
    }
  }

  /** The request with values that its row must have. Asked again with the same ones, it is the same request: what is shared stays one. */
  #withValues(request: RowRequest, values: readonly SharedValue[]): RowRequest {
    if (values.length === 0) return request
    const known = this.#completed.get(request) ?? []
    this.#completed.set(request, known)
    const same = known.find((one) => isSameList(one.values, values))
    if (same !== undefined) return same.request
    const completed = { ...request, values: { ...Object.fromEntries(values), ...request.values } }
    known.push({ values, request: completed })
    return completed
  }

  #planParent(row: RowPlan, key: ForeignKey, request: RowRequest, below: readonly Step[], isWanted = false): void {
    const asked = request.parents[key.name]
    const open = key.columns.filter((column) => !row.values.has(column))
    if (asked === undefined && !isWanted && !needsParent(row.table, key, open)) return
    const table = referencedTable(this.#context.catalogue, key)
    // What the row has of the key already, its parent must have, too.
    const shared = key.columns.flatMap((column, index) =>
      row.values.has(column) ? [[key.references[index] ?? '', row.values.get(column)] as const] : [],
    )
    const isAround = table === row.table || below.some((step) => step.row.table === table)
    const parent = asked === undefined && isAround ? closeCycle([...below, { row, key }], table) : undefined
    if (parent !== undefined) return bind(row, key, parent)
    const wanted = asked ?? this.#context.requestParent(table)
    const planned = this.plan(this.#withValues(wanted, shared), [...below, { row, key }])
    if (!row.followers.includes(planned)) row.parents.set(key.name, planned)
    bind(row, key, planned)
  }
}

function isSameList(some: readonly SharedValue[], others: readonly SharedValue[]): boolean {
  if (some.length !== others.length) return false
  return some.every(([column, value], index) => others[index]?.[0] === column && isSame(value, others[index][1]))
}

function isSame(one: unknown, other: unknown): boolean {
  if (one instanceof Reference && other instanceof Reference)
    return one.row === other.row && one.column === other.column
  return Object.is(one, other)
}

/** The row among those of a line that closes a circle of keys, where one does. */
function closeCycle(line: readonly Step[], table: Table): RowPlan | undefined {
  const start = line.findLastIndex(({ row }) => row.table === table)
  const target = line[start]?.row
  const last = line.at(-1)
  if (target === undefined || last === undefined) return undefined
  // A row may always refer to itself: the key is checked when it is there.
  if (target === last.row) return awaited(target, last.key)
  const circle = line.slice(start)
  const place = circle.findLastIndex(({ key }) => key.deferrable !== 'no')
  const loose = circle[place]
  if (loose === undefined)
    throw cycleError(
      circle.map(({ row }) => row),
      last.key,
    )
  // The row with the loose key is inserted first, and refers to one that is not there yet.
  const next = circle[place + 1]?.row ?? target
  loose.row.followers.push(awaited(next, loose.key))
  if (loose !== last) last.row.parents.set(last.key.name, target)
  return target
}

/** A row whose key must be known before it is there. */
function awaited(row: RowPlan, { references }: ForeignKey): RowPlan {
  for (const name of references) {
    const column = row.table.columns.find((one) => one.name === name)
    const isLeftToDatabase = column?.sequence !== undefined || (column?.default !== undefined && !isRandomUuid(column))
    if (isLeftToDatabase && !row.values.has(name)) row.reserved.add(name)
  }
  return row
}

/** Takes the key's columns from the parent, but for one that the parent takes from this very row. */
function bind(row: RowPlan, key: ForeignKey, parent: RowPlan): void {
  key.columns.forEach((column, index) => {
    const referred = key.references[index] ?? ''
    const found = parent === row ? undefined : valueOf(parent, referred)
    const isOwn = found instanceof Reference && found.row === row && found.column === column
    if (!row.values.has(column) && !isOwn) row.values.set(column, new Reference(parent, referred))
  })
}

/** Those with a parent that was asked for bind first, then the shorter ones: what they bind, longer ones share. */
function inOrder(keys: readonly ForeignKey[], { parents }: RowRequest): readonly ForeignKey[] {
  if (keys.every(({ name, columns }) => columns.length === 1 && parents[name] === undefined)) return keys
  const rank = (key: ForeignKey): number => (parents[key.name] === undefined ? 1000 : 0) + key.columns.length
  return keys.toSorted((one, other) => rank(one) - rank(other))
}

/** Whether the row cannot do without a parent for the key. */
function needsParent(table: Table, key: ForeignKey, open: readonly string[]): boolean {
  if (open.length === 0) return false
  const columns = open
    .map((name) => table.columns.find((column) => column.name === name))
    .filter((one) => one !== undefined)
  // Of a MATCH FULL key a part that is given asks for the rest.
  const isOptional = key.match === 'simple' || open.length === key.columns.length
  if (isOptional && columns.some(({ isNullable }) => isNullable)) return false
  return columns.some(
    (column) => column.default === undefined && column.identity === undefined && column.generated === undefined,
  )
}
