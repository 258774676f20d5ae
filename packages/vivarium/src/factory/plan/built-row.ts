import { parentNames } from './attributes.ts'
import { Reference, valueOf } from './row-plan.ts'
import type { RowPlan } from './row-plan.ts'

type Values = Record<string, unknown>

/** A planned row as plain data: its own values, and its parents by the names of their keys. */
export function builtRow(plan: RowPlan, named: (row: Values) => Values): Values {
  const row = named(ownValues(plan))
  for (const key of plan.table.foreignKeys) {
    const parent = plan.parents.get(key.name)
    const [name = key.name] = parentNames(plan.table, key)
    if (parent !== undefined) Object.assign(row, named({ [name]: builtRow(parent, named) }))
  }
  return row
}

/** What somebody outside would say of the row. */
export function paramsOf(plan: RowPlan): Values {
  const keys = new Set(plan.table.foreignKeys.flatMap(({ columns }) => columns))
  const primary = new Set(plan.table.primaryKey?.elements.flatMap((one) => (one.kind === 'column' ? [one.column] : [])))
  return Object.fromEntries(
    Object.entries(ownValues(plan)).filter(([column, value]) => {
      const isSaid = plan.given.has(column) || (!keys.has(column) && !primary.has(column))
      return isSaid && value !== null
    }),
  )
}

/** In the order of the table's columns. */
export function ownValues(plan: RowPlan): Values {
  const known = plan.table.columns.flatMap(({ name }) => {
    const value = valueOf(plan, name)
    return value === undefined || value instanceof Reference ? [] : [[name, value] as const]
  })
  return Object.fromEntries(known)
}
