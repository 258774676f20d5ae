import type { Statement } from '../sql/statement.ts'

/** Something that behaves differently in production. */
export interface Difference {
  readonly kind: string
  readonly message: string
}

export const listenWarning: Difference = {
  kind: 'listen-delivery',
  message:
    'LISTEN and NOTIFY take effect at COMMIT, and nothing commits in isolation "transaction": nothing is delivered',
}

const advisoryWarning: Difference = {
  kind: 'advisory-lock',
  message:
    'all connections of a sandbox are one session: an advisory lock never makes another of them wait, and one that ends ' +
    'with its transaction is held until the sandbox closes',
}

const rowLockWarning: Difference = {
  kind: 'row-lock',
  message:
    'all connections of a sandbox are one session: a row that one of them has locked is not locked for another, so ' +
    'SKIP LOCKED skips nothing and NOWAIT never fails',
}

const preparedNamesWarning: Difference = {
  kind: 'prepared-statement-names',
  message: "pg_prepared_statements shows the gateway's names, of all connections of the sandbox",
}

export const frozenNowWarning: Difference = {
  kind: 'frozen-now',
  message:
    'now() and CURRENT_TIMESTAMP are when the transaction of the sandbox began, the same in each of its transactions: ' +
    'clock_timestamp() and statement_timestamp() move',
}

export const lateReadOnlyWarning: Difference = {
  kind: 'transaction-read-only',
  message:
    'SET TRANSACTION READ ONLY behind other statements of one Query, outside a transaction, is accepted and not enforced: ' +
    'make it the first statement, or begin a transaction',
}

export function isolationWarning(asked: string): Difference {
  return {
    kind: 'transaction-isolation',
    message: `the isolation level asked for (${asked}) is accepted and not given: all of a sandbox runs in one READ COMMITTED transaction`,
  }
}

/** What differs for a statement that is simply forwarded. */
export function fidelityOf(statement: Statement): Difference | undefined {
  if (statement.notifies) return listenWarning
  if (statement.skipLocked) return rowLockWarning
  if (/\bpg_prepared_statements\b/i.test(statement.text)) return preparedNamesWarning
  if (statement.locksAdvisory && /advisory_xact|advisory_lock_shared|try_advisory/i.test(statement.text)) {
    return advisoryWarning
  }
  return undefined
}
