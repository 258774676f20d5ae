import type { Catalogue, ForeignKey, Table } from '../catalogue/catalogue.ts'
import { referencedTable } from '../catalogue/find-table.ts'
import { completeValues } from './complete-values.ts'
import type { Numbers } from './complete-values.ts'
import { cycleError, ruleBroken } from './plan-errors.ts'
import { Reference } from './row-plan.ts'
import type { RowPlan } from './row-plan.ts'
import type { RequestParent, RowRequest } from './row-request.ts'

/** What rows are planned with. */
export interface PlanContext {
  readonly catalogue: Catalogue
  readonly numbers: Numbers
  readonly requestParent: RequestParent
}

/** Rows with all that they need, parents before those that refer to them. */
export function planRows(requests: readonly RowRequest[], context: PlanContext): RowPlan[] {
  const planner = new Planner(context)
  return requests.map((request) => planner.plan(request, []))
}

class Planner {
  readonly #context: PlanContext
  /** A request that several rows share is planned once. */
  readonly #planned = new Map<RowRequest, RowPlan>()

  constructor(context: PlanContext) {
    this.#context = context
  }

  /** `below`: the rows that this one is made for, the nearest last. */
  plan(request: RowRequest, below: readonly RowPlan[]): RowPlan {
    const known = this.#planned.get(request)
    if (known !== undefined) return known
    const { table } = request
    const given = Object.entries(request.values).filter(([, value]) => value !== undefined)
    const row: RowPlan = {
      id: this.#context.numbers.next('rows'),
      table,
      values: new Map(given),
      given: new Set(given.map(([column]) => column)),
      parents: new Map(),
      reserved: new Set(),
      isAhead: false,
      origin: request.origin,
    }
    this.#planned.set(request, row)
    for (const key of inOrder(table.foreignKeys, request)) this.#planParent(row, key, request, below)
    this.#complete(row, request, below)
    return row
  }

  /** Gives the row its values; where no value will do, a parent that it could have been without may. */
  #complete(row: RowPlan, request: RowRequest, below: readonly RowPlan[]): void {
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

  #planParent(row: RowPlan, key: ForeignKey, request: RowRequest, below: readonly RowPlan[], isWanted = false): void {
    const asked = request.parents[key.name]
    const open = key.columns.filter((column) => !row.values.has(column))
    if (asked === undefined && !isWanted && !needsParent(row.table, key, open)) return
    const table = referencedTable(this.#context.catalogue, key)
    // What the row has of the key already, its parent must have, too.
    const shared = key.columns.flatMap((column, index) =>
      row.values.has(column) ? [[key.references[index] ?? '', row.values.get(column)] as const] : [],
    )
    const parent = asked === undefined ? this.#closeCycle(row, key, table, below) : undefined
    if (parent !== undefined) return bind(row, key, parent)
    const wanted = asked ?? this.#context.requestParent(table)
    const planned = this.plan(
      shared.length === 0 ? wanted : { ...wanted, values: { ...Object.fromEntries(shared), ...wanted.values } },
      [...below, row],
    )
    row.parents.set(key.name, planned)
    bind(row, key, planned)
  }

  /** The row among those below that closes a circle of keys, where one does. */
  #closeCycle(row: RowPlan, key: ForeignKey, table: Table, below: readonly RowPlan[]): RowPlan | undefined {
    const line = [...below, row]
    const start = line.findLastIndex((one) => one.table === table)
    const target = line[start]
    if (target === undefined) return undefined
    const isItself = target === row
    if (!isItself && key.deferrable === 'no') throw cycleError(line.slice(start), key)
    row.isAhead ||= !isItself
    for (const column of key.references) {
      if (target.values.has(column)) continue
      const found = target.table.columns.find(({ name }) => name === column)
      if (found !== undefined) target.reserved.add(column)
    }
    return target
  }
}

function bind(row: RowPlan, key: ForeignKey, parent: RowPlan): void {
  key.columns.forEach((column, index) => {
    if (!row.values.has(column)) row.values.set(column, new Reference(parent, key.references[index] ?? ''))
  })
}

/** Those with a parent that was asked for bind first, then the shorter ones: what they bind, longer ones share. */
function inOrder(keys: readonly ForeignKey[], { parents }: RowRequest): readonly ForeignKey[] {
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
