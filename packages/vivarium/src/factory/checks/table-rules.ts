import type { Check, ColumnType, Partition, Table } from '../catalogue/catalogue.ts'
import { columnsIn, conjunctsOf, partsOf } from './expression.ts'
import type { Expression } from './expression.ts'
import { isKnownFunction } from './evaluate.ts'
import { parseExpression } from './parse-expression.ts'

/** One thing that must not be false of a row. */
export interface Rule {
  /** The constraint that says it. */
  readonly constraint: Check
  readonly expression: Expression
  readonly columns: readonly string[]
}

/** What the constraints of a table ask of its rows. */
export interface TableRules {
  /** What concerns one column alone, by its name. */
  readonly single: ReadonlyMap<string, readonly Rule[]>
  /** What several columns have to do with each other. */
  readonly several: readonly Rule[]
  /** Constraints that could not be read. */
  readonly unread: readonly Check[]
}

const known = new WeakMap<Table, Map<Partition | undefined, TableRules>>()

/** The rules for a row; where the table is partitioned, for one in that partition. */
export function rulesOf(table: Table, partition?: Partition): TableRules {
  const ofTable = known.get(table) ?? new Map<Partition | undefined, TableRules>()
  known.set(table, ofTable)
  const found = ofTable.get(partition) ?? readRules(table, partition)
  ofTable.set(partition, found)
  return found
}

function readRules(table: Table, partition: Partition | undefined): TableRules {
  const single = new Map<string, Rule[]>()
  const several: Rule[] = []
  const unread: Check[] = []
  const add = (constraint: Check, column?: string): void => {
    const parsed = parseExpression(constraint.sql)
    if (parsed === undefined) return void unread.push(constraint)
    if (!isUnderstood(parsed)) unread.push(constraint)
    const expression = column === undefined ? parsed : ofColumn(parsed, column)
    for (const one of conjunctsOf(expression)) {
      const columns = [...columnsIn(one)]
      const rule = { constraint, expression: one, columns }
      const [only] = columns
      if (columns.length === 1 && only !== undefined) single.set(only, [...(single.get(only) ?? []), rule])
      else several.push(rule)
    }
  }
  for (const check of table.checks) add(check)
  for (const { name, type } of table.columns) for (const check of domainChecks(type)) add(check, name)
  if (partition?.constraint !== undefined) add({ name: `partition ${partition.name}`, sql: partition.constraint })
  return { single, several, unread }
}

function domainChecks(type: ColumnType): readonly Check[] {
  return type.kind === 'domain' ? [...type.checks, ...domainChecks(type.base)] : []
}

/** Whether all its functions are known here; one that is not is taken to be satisfied, until the server says otherwise. */
function isUnderstood(expression: Expression): boolean {
  return [...partsOf(expression)].every((part) => part.kind !== 'call' || isKnownFunction(part.name))
}

/** A domain's constraint calls the value VALUE. */
function ofColumn(expression: Expression, column: string): Expression {
  const text = JSON.stringify(expression, (_, part: unknown) => {
    const isValue = typeof part === 'object' && part !== null && 'kind' in part && part.kind === 'column'
    return isValue ? { kind: 'column', name: column } : part
  })
  return JSON.parse(text) as Expression
}
