import type { OwnMessage } from '../protocol/server-message.ts'
import { findFunctionCalls, integerTypes } from '../sql/function-calls.ts'
import type { Replacement } from '../sql/rewrite.ts'
import type { Statement } from '../sql/statement.ts'
import type { Difference } from './differences.ts'

const isSignal = (name: string): boolean => name === 'pg_terminate_backend' || name === 'pg_cancel_backend'

const terminatesItself = /pg_terminate_backend\s*\(\s*(?:pg_catalog\s*\.\s*)?pg_backend_pid\s*\(\s*\)\s*\)/i

/** The statement ends the connection that it runs on. */
export function endsItself(statement: Statement): boolean {
  return statement.terminatesBackend && terminatesItself.test(statement.text)
}

/** The statement names the backend that all connections of the sandbox share: whom it means cannot be told. */
export function namesSharedBackend(
  statement: Statement,
  processId: number,
  params: readonly (string | Uint8Array | null)[],
): boolean {
  if (!statement.terminatesBackend) return false
  return findFunctionCalls(statement.text, isSignal, integerTypes).some(({ args: [pid] }) => {
    const value = pid?.kind === 'literal' ? pid.value : pid?.kind === 'parameter' ? params[pid.index - 1] : undefined
    if (value instanceof Uint8Array) return value.length === 4 && Buffer.from(value).readInt32BE(0) === processId
    return value === String(processId)
  })
}

/** A signal to a backend that is computed spares the shared one: its process id becomes NULL, and nothing is signalled. */
export function sparingOwnBackend(statement: Statement): Replacement[] {
  if (!statement.terminatesBackend || endsItself(statement)) return []
  return findFunctionCalls(statement.text, isSignal, integerTypes).flatMap(({ args: [pid], spans: [span] }) => {
    if (pid?.kind === 'literal' || span === undefined) return []
    const { start, end } = span
    const offset = statement.span.start
    return [
      { start: start + offset, end: start + offset, text: 'nullif(' },
      { start: end + offset, end: end + offset, text: ', pg_catalog.pg_backend_pid())' },
    ]
  })
}

export const sharedBackendRefused: OwnMessage = {
  code: '0A000',
  message:
    'all connections of a sandbox are one backend: which of them is to be terminated or cancelled cannot be told',
  hint: 'Run the test with isolation "database", where each connection has a backend of its own.',
}

export const sparedBackendWarning: Difference = {
  kind: 'terminate-backend',
  message:
    'all connections of a sandbox are one backend, which pg_terminate_backend and pg_cancel_backend spare: they answer ' +
    'NULL for it, and another connection of the test is neither ended nor cancelled',
}
