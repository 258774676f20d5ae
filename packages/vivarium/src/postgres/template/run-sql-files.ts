import { withDeadline } from '../../core/clock.ts'
import { VivariumError } from '../../core/errors.ts'
import { openPostgresClient } from '../connection/client.ts'
import type { PostgresClient } from '../connection/client.ts'
import { PostgresServerError } from '../connection/server-error.ts'
import type { ConnectionTarget } from '../connection/target.ts'
import { classify } from '../sql/classify.ts'
import type { Statement } from '../sql/classify.ts'
import { statementFailed, timedOut } from './migration-errors.ts'
import { findSurprisingOrder } from './migration-folder.ts'
import type { MigrationFile } from './migration-folder.ts'
import { readMigrationText, unreadable } from './migration-text.ts'
import { findPlace } from './source-place.ts'

/** Thrown when a file turned out not to bear the transaction around it: the build starts anew without one. */
export class TransactionRefused extends Error {
  readonly file: string

  constructor(file: string) {
    super(`${file} does not run inside a transaction`)
    this.file = file
  }
}

export interface RunSqlFilesOptions {
  /** Per file. Milliseconds. */
  deadlineMs: number
  /** Names of files known to need to run without a transaction around them. */
  withoutTransaction: ReadonlySet<string>
  /** What the connections to the database do, for the message of a file that hangs. */
  describeActivity(): Promise<string>
}

/** Kinds that begin or end transactions, or that the server refuses inside one. */
const needsNoTransaction: ReadonlySet<Statement['kind']> = new Set([
  'begin',
  'commit',
  'rollback',
  'prepareTransaction',
  'commitPrepared',
  'rollbackPrepared',
  'refusesTransaction',
])

/**
 * SQLSTATEs by which the server tells only at run time that a statement needs a transaction of its own:
 * active_sql_transaction, invalid_transaction_termination (CALL and DO with COMMIT), unsafe_new_enum_value_usage.
 */
const refusals: ReadonlySet<string> = new Set(['25001', '2D000', '55P04'])

/** Runs the files in order, each in a transaction unless it holds its own or something that refuses one. */
export async function runSqlFiles(
  target: ConnectionTarget,
  files: readonly MigrationFile[],
  options: RunSqlFilesOptions,
): Promise<void> {
  const texts = files.map((file) => readMigrationText(file))
  const client = await openPostgresClient({
    ...target,
    parameters: { ...target.parameters, application_name: 'vivarium migrations' },
  })
  const orderHint = toOrderHint(files)
  try {
    for (const [index, file] of files.entries()) {
      const run = runFile(client, file, texts[index] as string, options.withoutTransaction, orderHint)
      const late = new Error('late')
      await withDeadline(run, options.deadlineMs, () => late).catch(async (error: unknown) => {
        if (error !== late) throw error
        throw timedOut(`Migration ${file.path}`, options.deadlineMs, await options.describeActivity())
      })
    }
  } finally {
    // Not awaited: after a time-out the backend is busy, and ends only with its database.
    void client.close()
  }
}

function toOrderHint(files: readonly MigrationFile[]): string {
  const surprise = findSurprisingOrder(files.map((file) => file.name))
  if (surprise === undefined) return ''
  return ` Files run in plain name order, so ${surprise[0]} comes before ${surprise[1]}: pad the numbers with zeros if that is not meant.`
}

async function runFile(
  client: PostgresClient,
  file: MigrationFile,
  text: string,
  withoutTransaction: ReadonlySet<string>,
  orderHint: string,
): Promise<void> {
  const statements = classify(text)
  const wrapped = !withoutTransaction.has(file.name) && !statements.some((one) => needsNoTransaction.has(one.kind))
  // Statement by statement, as psql does: an error without a position then still has a line.
  if (wrapped) await client.query('BEGIN')
  for (const { span, kind } of statements) {
    const statement = text.slice(span.start, span.end)
    if (kind === 'copy' && /\bfrom\s+stdin\b/i.test(statement)) throw copyRefused(file, text, span.start)
    await client.query(statement).catch((error: unknown) => {
      if (!(error instanceof PostgresServerError)) throw error
      if (wrapped && refusals.has(error.code)) throw new TransactionRefused(file.name)
      throw statementFailed(file, text, span, error, orderHint)
    })
  }
  if (wrapped) {
    const end = { start: Math.max(0, text.trimEnd().length - 1), end: text.length }
    await client.query('COMMIT').catch((error: unknown) => {
      throw error instanceof PostgresServerError ? statementFailed(file, text, end, error, orderHint) : error
    })
  } else await requireNoTransaction(client, file)
  // A file is a session of its own: `SET search_path` in a dump must not reach the next one.
  await client.query('DISCARD ALL')
}

function copyRefused(file: MigrationFile, text: string, offset: number): VivariumError {
  return unreadable(file, `copies from standard input in line ${findPlace(text, offset).line}, which only psql can`, {
    seen: `\n${findPlace(text, offset).excerpt}`,
    remedy:
      'Write the rows as INSERT (pg_dump --inserts), or run the file with psql: `migrations: { command: "psql …", inputs: ["…"] }`.',
  })
}

async function requireNoTransaction(client: PostgresClient, file: MigrationFile): Promise<void> {
  // Outside a transaction block a statement's start is its transaction's start.
  const rows = await client.query(
    'SELECT pg_catalog.statement_timestamp() <> pg_catalog.transaction_timestamp() AS inside',
  )
  if (rows[0]?.['inside'] !== 't') return
  throw new VivariumError('MIGRATION_FAILED', {
    what: `Migration ${file.name} opens a transaction and does not end it.`,
    seen: `${file.path} ends inside a transaction`,
    remedy: 'Add COMMIT, or leave BEGIN out: a file without one runs in a transaction of its own.',
  })
}
