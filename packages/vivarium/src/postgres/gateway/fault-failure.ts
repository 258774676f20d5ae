import type { Strike } from '../../core/faults.ts'
import type { OwnMessage } from '../protocol/server-message.ts'
import type { Statement } from '../sql/statement.ts'

/** How a statement fails: what the server says of it. */
export interface QueryFailure {
  /** SQLSTATE. Those of class 57P (`57P01`: terminated by an administrator) end the connection as well. @default '40001' for COMMIT, else '58030' */
  readonly code?: string
  readonly message?: string
  readonly detail?: string
  readonly hint?: string
}

/** The server's words for a statement that a fault lets fail. */
export function failureOf({ failure, injected }: Strike, statement: Statement): OwnMessage {
  const asked = (failure ?? {}) as QueryFailure
  const code = asked.code ?? (statement.kind === 'commit' ? '40001' : '58030')
  const what = usualMessages[code] ?? 'the statement failed'
  return {
    code,
    message: asked.message ?? `${what} (a fault, set at ${injected.setAt})`,
    detail: asked.detail,
    hint: asked.hint,
  }
}

/** As the server words them (postgres.c, predicate.c, …). */
const usualMessages: Readonly<Record<string, string>> = {
  '40001': 'could not serialize access due to read/write dependencies among transactions',
  '40P01': 'deadlock detected',
  '53100': 'could not extend file: No space left on device',
  '53300': 'sorry, too many clients already',
  '55P03': 'canceling statement due to lock timeout',
  '57014': 'canceling statement due to statement timeout',
  '57P01': 'terminating connection due to administrator command',
  '58030': 'could not read or write a file: Input/output error',
}

/** With these the server ends the connection: it is being terminated, or goes down itself. */
export function endsConnection({ code }: OwnMessage): boolean {
  return code.startsWith('57P')
}
