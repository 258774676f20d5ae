import { findSetConfigCalls } from '../sql/set-config.ts'
import type { SqlArgument } from '../sql/set-config.ts'
import { quoteLiteral } from '../connection/client.ts'
import type { Settings } from './settings.ts'
import { withLocal, withSetting } from './settings.ts'

/** What calls of `set_config` in a statement do to the connection's settings. */
export interface SetConfigEffect {
  readonly settings: Settings
  /** A call lasts until the transaction's end only, or its arguments cannot be read from the text. */
  readonly disturbs: boolean
  /** A call makes a setting whose name is computed, or both its value and its reach: it will not follow the connection. */
  readonly unreadable: boolean
  /** Settings of the session whose values are computed: the server knows them afterwards. */
  readonly ask: readonly string[]
}

/** Reads the effect from the text and the bound values. */
export function setConfigEffect(
  text: string,
  params: readonly (string | Uint8Array | null)[],
  settings: Settings,
): SetConfigEffect {
  let changed = settings
  let disturbs = false
  let unreadable = false
  const ask: string[] = []
  for (const call of findSetConfigCalls(text)) {
    const local = valueOf(call.local, params)
    const name = valueOf(call.name, params)
    const value = valueOf(call.value, params)
    if (local !== undefined && local !== null && !/^(f|false|off|no|n|0)$/i.test(local)) {
      disturbs = true
      const isKnown = typeof name === 'string' && typeof value === 'string'
      changed = withLocal(changed, name?.toLowerCase() ?? '', isKnown ? setStatement(name, value, true) : undefined)
    } else if (typeof local === 'string' && typeof name === 'string' && value === undefined) {
      ask.push(name.toLowerCase())
    } else if (typeof local !== 'string' || typeof name !== 'string' || typeof value !== 'string') {
      disturbs = true
      unreadable = true
      changed = withLocal(changed, '', undefined)
    } else changed = withSetting(changed, name.toLowerCase(), setStatement(name, value, false))
  }
  return { settings: changed, disturbs, unreadable, ask }
}

/** Makes a setting again. */
export function setStatement(name: string, value: string, isLocal: boolean): string {
  // A list setting's value would become one element: set_config takes the whole list as one text.
  return `SELECT pg_catalog.set_config(${quoteLiteral(name)}, ${quoteLiteral(value)}, ${isLocal})`
}

/** `undefined` when it cannot be known. */
function valueOf(argument: SqlArgument, params: readonly (string | Uint8Array | null)[]): string | null | undefined {
  switch (argument.kind) {
    case 'literal':
      return argument.value
    case 'parameter': {
      const value = params[argument.index - 1]
      // A boolean in binary format; a text in that format is as good as computed.
      if (value instanceof Uint8Array)
        return value.length === 1 && (value[0] ?? 2) < 2 ? String(value[0] === 1) : undefined
      return value
    }
    default:
      return undefined
  }
}
