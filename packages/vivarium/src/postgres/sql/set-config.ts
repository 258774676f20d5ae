import { findFunctionCalls } from './function-calls.ts'
import type { SqlArgument } from './function-calls.ts'

export type { SqlArgument } from './function-calls.ts'

/** One call of `set_config(name, value, is_local)`. */
export interface SetConfigCall {
  name: SqlArgument
  value: SqlArgument
  local: SqlArgument
}

const expression: SqlArgument = { kind: 'expression' }

/** The calls of set_config in a text, in order. */
export function findSetConfigCalls(text: string): SetConfigCall[] {
  if (!/set_config/i.test(text)) return []
  return findFunctionCalls(text, (name) => name === 'set_config').map(({ args: [name, value, local] }) => ({
    name: name ?? expression,
    value: value ?? expression,
    local: local ?? expression,
  }))
}
