import { Backend } from '../protocol/message-types.ts'
import { encodeMessageFields } from '../protocol/server-message.ts'
import type { MessageFields } from '../protocol/server-message.ts'
import type { RewrittenText } from '../sql/rewrite.ts'
import type { Statement } from '../sql/statement.ts'
import type { ConnectionState } from './connection-state.ts'

/** SQLSTATEs that a statement gets only because the sandbox is one transaction (see docs/discoveries). */
const onlyInsideTransaction: ReadonlySet<string> = new Set(['2D000', '55P04'])

const remedy =
  'A sandbox is one transaction that is rolled back, so this statement cannot run in it; in production it could. ' +
  'Run it against a database with real commits (isolation: "database"), or before the tests, in a migration.'

/**
 * What a client is told of an error in COPY that we caused in its name: the server's own words for what it did.
 */
export function inPlaceOf(fields: MessageFields, violation: MessageFields | undefined): Buffer | undefined {
  if (violation === undefined) return undefined
  const { L: _line, ...said } = fields
  return encodeMessageFields(Backend.errorResponse, { ...said, ...violation })
}

/**
 * What a client is told instead of the server's own words: positions in a text that we rewrote are moved back, and an
 * error that only the sandbox causes gets a hint with the remedy. `nameTaken` says whether another connection has taken
 * the name of a temporary object. `undefined` when the server's words stand.
 */
export function explainRefusal(
  fields: MessageFields,
  statement: Statement | undefined,
  state: ConnectionState,
  rewritten?: RewrittenText,
  nameTaken?: () => string | undefined,
): Buffer | undefined {
  let told: Record<string, string> | undefined
  if (rewritten !== undefined && fields['P'] !== undefined) {
    told = { ...fields, P: String(rewritten.originalPosition(Number(fields['P']))) }
  }
  const code = fields['C'] ?? ''
  const taken = code === '42P07' ? nameTaken?.() : undefined
  if (taken !== undefined) told = { ...(told ?? fields), H: taken }
  const wouldRun = state.status === 'idle' && statement?.kind === 'refusesTransaction' && code === '25001'
  const callsCommit = onlyInsideTransaction.has(code)
  if (wouldRun || callsCommit) told = { ...(told ?? fields), H: remedy }
  return told === undefined ? undefined : encodeMessageFields(Backend.errorResponse, told)
}

/** The server's error with the client's own names for what we have named otherwise; `undefined` when it names none. */
export function inClientNames(
  fields: MessageFields,
  names: readonly (readonly [string, string])[],
): Buffer | undefined {
  const { M: saidMessage = '', W: saidWhere = '' } = fields
  let [message, where] = [saidMessage, saidWhere]
  for (const [real, own] of names) {
    if (real === '' || real === own) continue
    message = message.replaceAll(`"${real}"`, `"${own}"`)
    where = where.replaceAll(`portal "${real}"`, own === '' ? 'unnamed portal' : `portal "${own}"`)
  }
  if (message === saidMessage && where === saidWhere) return undefined
  const told = where === '' ? { ...fields, M: message } : { ...fields, M: message, W: where }
  return encodeMessageFields(Backend.errorResponse, told)
}
