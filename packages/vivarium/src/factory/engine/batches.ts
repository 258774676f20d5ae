import type { Table } from '../catalogue/catalogue.ts'
import type { RowPlan } from '../plan/row-plan.ts'

/** Rows of one table that one statement can insert. */
export interface Batch {
  readonly table: Table
  readonly rows: readonly RowPlan[]
}

/** The rows, all that they need and all that follows them. */
export function allRows(roots: readonly RowPlan[]): readonly RowPlan[] {
  const depths = new Map<RowPlan, number>()
  for (const root of roots) measureAll(root, depths)
  return [...depths.keys()]
}

/** The rows and all that they need, as few batches as there can be: each after those that it refers to. */
export function toBatches(roots: readonly RowPlan[]): Batch[] {
  const depths = new Map<RowPlan, number>()
  for (const root of roots) measureAll(root, depths)
  const order = orderOfTables(depths)
  const levels = new Map<Table, Map<number, RowPlan[]>>()
  for (const [row, depth] of depths) {
    const level = order === undefined ? depth : depthWithin(row)
    const ofTable = levels.get(row.table) ?? new Map<number, RowPlan[]>()
    levels.set(row.table, ofTable)
    const rows = ofTable.get(level) ?? []
    ofTable.set(level, rows)
    rows.push(row)
  }
  const batches = [...levels].flatMap(([table, ofTable]) =>
    [...ofTable].map(([level, rows]) => ({ table, rows, level })),
  )
  const rank = ({ table, level }: { readonly table: Table; readonly level: number }): readonly [number, number] =>
    order === undefined ? [level, 0] : [order.indexOf(table), level]
  return batches.toSorted((one, other) => rank(one)[0] - rank(other)[0] || rank(one)[1] - rank(other)[1])
}

/** Measures a row, those that it needs, and those that come after it. */
function measureAll(row: RowPlan, depths: Map<RowPlan, number>): void {
  const followers: RowPlan[] = []
  measureDepth(row, depths, followers)
  for (let next = followers.pop(); next !== undefined; next = followers.pop()) measureDepth(next, depths, followers)
}

/** How many rows there are in the longest line above one; who follows those that are met for the first time is noted. */
function measureDepth(row: RowPlan, depths: Map<RowPlan, number>, followers: RowPlan[]): number {
  const known = depths.get(row)
  if (known !== undefined) return known
  let depth = 0
  for (const parent of row.parents.values()) depth = Math.max(depth, measureDepth(parent, depths, followers) + 1)
  depths.set(row, depth)
  followers.push(...row.followers)
  return depth
}

/** How many rows of the same table there are in line above one. */
function depthWithin(row: RowPlan): number {
  let depth = 0
  for (const parent of row.parents.values()) {
    if (parent.table === row.table) depth = Math.max(depth, depthWithin(parent) + 1)
  }
  return depth
}

/** The tables, each after those that its rows refer to; `undefined` where they refer to each other. */
function orderOfTables(rows: ReadonlyMap<RowPlan, number>): readonly Table[] | undefined {
  const needs = new Map<Table, Set<Table>>()
  for (const row of rows.keys()) {
    const needed = needs.get(row.table) ?? new Set<Table>()
    needs.set(row.table, needed)
    for (const { table } of row.parents.values()) if (table !== row.table) needed.add(table)
  }
  const order: Table[] = []
  while (order.length < needs.size) {
    const next = [...needs].find(
      ([table, needed]) => !order.includes(table) && [...needed].every((one) => order.includes(one)),
    )
    if (next === undefined) return undefined
    order.push(next[0])
  }
  return order
}
