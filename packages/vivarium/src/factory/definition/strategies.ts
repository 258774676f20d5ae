import { markInserted } from '../engine/sandbox-factory.ts'
import type { Row, SandboxFactory } from '../engine/sandbox-factory.ts'
import { parentNames } from '../plan/attributes.ts'
import { ownValues, paramsOf } from '../plan/built-row.ts'
import type { RowPlan } from '../plan/row-plan.ts'
import { markBuilt } from './built.ts'
import type { CallScope } from './call-scope.ts'
import { Draft } from './draft.ts'
import { levelsOf } from './written-factory.ts'
import type { Hook, Written } from './written-factory.ts'

/** Rows as plain data, each with its parents within; nothing is sent to the database. */
export async function buildDrafts(drafts: readonly Draft[], scope: CallScope, engine: SandboxFactory): Promise<Row[]> {
  const plans = await planOf(drafts, scope, engine)
  const built = new Map<RowPlan, Row>()
  return plans.map((plan) => buildPlan(plan, scope, built))
}

/** Rows as the database holds them. `verbs` is what hooks insert with. */
export async function insertDrafts(
  drafts: readonly Draft[],
  scope: CallScope,
  engine: SandboxFactory,
  verbs: object,
): Promise<Row[]> {
  let plans = await planOf(drafts, scope, engine)
  if (withAncestors(plans).some((plan) => hooksOf(plan, 'afterBuild').length > 0)) {
    const built = new Map<RowPlan, Row>()
    const objects = plans.map((plan) => buildPlan(plan, scope, built))
    plans = await planOf(
      objects.map((object) => scope.draftOf(object)).filter((draft) => draft !== undefined),
      scope,
      engine,
    )
  }
  const insert = async (): Promise<Row[]> => {
    const inserted = await engine.insertPlans(plans)
    const rows = new Map<RowPlan, Row>()
    for (const [plan, values] of inserted) {
      const row = scope.named(values)
      rows.set(plan, row)
      markInserted(row, { table: plan.table, values })
      const from = draftOf(plan)?.builtFrom
      if (from !== undefined) markInserted(from, { table: plan.table, values })
    }
    for (const [plan, row] of rows) {
      for (const hook of hooksOf(plan, 'afterInsert')) {
        const extra = await (hook as AfterInsert)(row, { ...verbs, params: draftOf(plan)?.params ?? {} })
        if (typeof extra === 'object' && extra !== null) Object.assign(row, extra)
      }
    }
    return plans.map((plan) => rows.get(plan) ?? {})
  }
  const hasHooks = withAncestors(plans).some((plan) => hooksOf(plan, 'afterInsert').length > 0)
  return hasHooks ? engine.transaction(insert) : insert()
}

/** What a client would send of the row. */
export async function paramsOfDraft(draft: Draft, scope: CallScope, engine: SandboxFactory): Promise<Row> {
  const [plan] = await planOf([draft], scope, engine)
  return plan === undefined ? {} : scope.named(paramsOf(plan))
}

/** A value as JSON has it. */
export function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Date) return value.toJSON()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map(toJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, toJson(one)]))
}

type AfterBuild = (row: object, context: { readonly params: Written }) => unknown
type AfterInsert = (row: object, context: { readonly params: Written }) => Promise<unknown>

function planOf(drafts: readonly Draft[], scope: CallScope, engine: SandboxFactory): Promise<RowPlan[]> {
  return engine.plan(
    drafts.map(({ request }) => request),
    { requestParent: (table) => scope.nested(table, {}).request },
  )
}

function draftOf({ origin }: RowPlan): Draft | undefined {
  return origin instanceof Draft ? origin : undefined
}

/** The hooks of what a plan is made by, those of what its factory stands on first. What was built before is not built again. */
function hooksOf(plan: RowPlan, kind: 'afterBuild' | 'afterInsert'): readonly Hook[] {
  const draft = draftOf(plan)
  if (kind === 'afterBuild' && draft?.builtFrom !== undefined) return []
  return levelsOf(draft?.factory).flatMap(({ [kind]: hook }) => (hook === undefined ? [] : [hook]))
}

function buildPlan(plan: RowPlan, scope: CallScope, built: Map<RowPlan, Row>): Row {
  const known = built.get(plan)
  if (known !== undefined) return known
  const row = scope.named(ownValues(plan))
  built.set(plan, row)
  for (const key of plan.table.foreignKeys) {
    const parent = plan.parents.get(key.name)
    if (parent !== undefined)
      row[scope.nameOf(parentNames(plan.table, key)[0] ?? key.name)] = buildPlan(parent, scope, built)
  }
  const draft = draftOf(plan)
  const params = draft?.params ?? {}
  markBuilt(row, { table: plan.table, factory: draft?.factory, params })
  for (const hook of hooksOf(plan, 'afterBuild')) (hook as AfterBuild)(row, { params })
  return row
}

/** The plans and all that they need. */
function withAncestors(plans: readonly RowPlan[]): readonly RowPlan[] {
  const all = new Set<RowPlan>()
  const add = (plan: RowPlan): void => {
    if (all.has(plan)) return
    all.add(plan)
    for (const parent of plan.parents.values()) add(parent)
  }
  plans.forEach(add)
  return [...all]
}
