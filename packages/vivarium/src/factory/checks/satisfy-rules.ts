import type { Column } from '../catalogue/catalogue.ts'
import { comparable } from './comparable.ts'
import { evaluate, unknown } from './evaluate.ts'
import type { ReadColumn, Value } from './evaluate.ts'
import { literalsIn, partsOf } from './expression.ts'
import type { Expression } from './expression.ts'
import { neighboursOf } from './neighbours.ts'
import { isAdmitted } from './restrict-series.ts'
import type { Rule, TableRules } from './table-rules.ts'

/** A column that may be given another value, and what its values are made of. */
export interface OpenColumn {
  readonly column: Column
  /** Some that it may have. */
  readonly samples: readonly unknown[]
}

/** A row while it is made: `undefined` is left to the database. */
export interface Draft {
  /** What constraints see. */
  readonly read: ReadColumn
  readonly open: readonly OpenColumn[]
}

/** How many rows are tried. */
const mostTries = 20_000

/**
 * Changes, by column, that make all rules of several columns hold; as few as can be. `undefined`: none were found, and the rule is
 * returned that stands in the way.
 */
export function satisfyRules(rules: TableRules, draft: Draft): ReadonlyMap<string, unknown> | Rule {
  const changes = new Map<string, unknown>()
  for (;;) {
    const broken = rules.several.find(({ expression }) => evaluate(expression, reading(draft, changes)) === false)
    if (broken === undefined) return changes
    const found = repair(broken, rules, draft, changes)
    if (found === undefined) return broken
    for (const [name, value] of found) changes.set(name, value)
  }
}

/** Reads the draft with what was changed of it. */
function reading(draft: Draft, changes: ReadonlyMap<string, unknown>): ReadColumn {
  return (name) => {
    if (!changes.has(name)) return draft.read(name)
    const column = draft.open.find((one) => one.column.name === name)?.column
    return column === undefined ? unknown : comparable(column.type, changes.get(name))
  }
}

function repair(
  broken: Rule,
  rules: TableRules,
  draft: Draft,
  before: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, unknown> | undefined {
  const open = draft.open.filter(({ column }) => broken.columns.includes(column.name))
  const names = new Set(open.map(({ column }) => column.name))
  const touched = rules.several.filter(({ columns }) => columns.some((name) => names.has(name)))
  let tries = 0
  /** Columns from `index` on, with at most `left` more changes. */
  const search = (
    index: number,
    left: number,
    changes: ReadonlyMap<string, unknown>,
  ): ReadonlyMap<string, unknown> | undefined => {
    if (tries++ > mostTries) return undefined
    const read = reading(draft, changes)
    if (touched.every(({ expression }) => evaluate(expression, read) !== false)) return changes
    const one = open[index]
    if (one === undefined || left === 0) return undefined
    const unchanged = search(index + 1, left, changes)
    if (unchanged !== undefined) return unchanged
    for (const value of proposals(one, touched, read)) {
      const found = search(index + 1, left - 1, new Map(changes).set(one.column.name, value))
      if (found !== undefined) return found
    }
    return undefined
  }
  for (let most = 1; most <= open.length; most++) {
    // In either order: a column may depend on one behind it.
    for (let turn = 0; turn < 2; turn++) {
      const found = search(0, most, before)
      if (found !== undefined && found !== before) return found
      open.reverse()
    }
    if (tries > mostTries) return undefined
  }
  return undefined

  function proposals(
    { column, samples }: OpenColumn,
    concerned: readonly Rule[],
    read: ReadColumn,
  ): readonly unknown[] {
    const own = rules.single.get(column.name) ?? []
    const near = concerned
      .filter(({ columns }) => columns.includes(column.name))
      .flatMap(({ expression }) => [...comparedWith(column.name, expression, read), ...literalsIn(expression)])
      .flatMap((value) => neighboursOf(column.type, value))
    const all = [...near, ...samples, ...(column.isNullable ? [null] : [])]
    const distinct = [
      ...new Map(all.map((value) => [String(comparable(column.type, value) as unknown), value])).values(),
    ]
    return distinct.filter((value) => isAdmitted(column, value, own))
  }
}

/** What the column stands beside in comparisons, where that is known. */
function comparedWith(name: string, expression: Expression, read: ReadColumn): readonly Value[] {
  return [...partsOf(expression)].flatMap((part) => {
    if (part.kind !== 'operator' || part.args.length !== 2) return []
    const [left, right] = part.args as readonly [Expression, Expression]
    const sides = [
      [left, right],
      [right, left],
    ] as const
    return sides.flatMap(([side, other]) => {
      if (!isColumn(side, name)) return []
      const value = evaluate(other, read)
      return value === unknown || value === null ? [] : [value]
    })
  })
}

function isColumn(expression: Expression, name: string): boolean {
  if (expression.kind === 'cast') return isColumn(expression.arg, name)
  return expression.kind === 'column' && expression.name === name
}
