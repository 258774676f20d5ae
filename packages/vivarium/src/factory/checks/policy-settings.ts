import type { Table } from '../catalogue/catalogue.ts'
import { conjunctsOf, partsOf } from './expression.ts'
import type { Expression } from './expression.ts'
import { parseExpression } from './parse-expression.ts'

/** A setting that a policy compares a column with: `tenant_id = current_setting('app.tenant_id')::uuid`. */
export interface PolicySetting {
  readonly setting: string
  readonly column: string
}

const known = new WeakMap<Table, readonly PolicySetting[]>()

/** What must be set for a row to be let into a table whose policies hold for its owner, too: none where that cannot be read. */
export function policySettings(table: Table): readonly PolicySetting[] {
  const found = known.get(table) ?? readSettings(table)
  known.set(table, found)
  return found
}

function readSettings({ rowSecurity, policies }: Table): readonly PolicySetting[] {
  if (rowSecurity !== 'forced') return []
  // Of permissive policies one is enough; each restrictive one must agree.
  const permissive = policies.filter(({ isPermissive }) => isPermissive).map(({ check }) => settingsIn(check))
  const restrictive = policies.filter(({ isPermissive }) => !isPermissive).flatMap(({ check }) => settingsIn(check))
  return [...(permissive.find((settings) => settings.length > 0) ?? []), ...restrictive]
}

function settingsIn(check: string | undefined): readonly PolicySetting[] {
  const expression = check === undefined ? undefined : parseExpression(check)
  return expression === undefined ? [] : conjunctsOf(expression).flatMap(comparedSetting)
}

function comparedSetting(expression: Expression): readonly PolicySetting[] {
  if (expression.kind !== 'operator' || expression.name !== '=') return []
  const columns = expression.args.map(columnOf)
  const settings = expression.args.map(settingOf)
  return [0, 1].flatMap((side) => {
    const [column, setting] = [columns[side], settings[1 - side]]
    return column === undefined || setting === undefined ? [] : [{ column, setting }]
  })
}

function columnOf(expression: Expression): string | undefined {
  if (expression.kind === 'cast') return columnOf(expression.arg)
  return expression.kind === 'column' ? expression.name : undefined
}

function settingOf(expression: Expression): string | undefined {
  const parts = [...partsOf(expression)]
  if (parts.some(({ kind }) => kind === 'column')) return undefined
  for (const part of parts) {
    if (part.kind !== 'call' || part.name !== 'current_setting') continue
    const [name] = part.args
    const bare = name?.kind === 'cast' ? name.arg : name
    if (bare?.kind === 'literal' && typeof bare.value === 'string') return bare.value
  }
  return undefined
}
