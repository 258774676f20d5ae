import { now, realSetTimeout } from '../../core/clock.ts'
import { VivariumError } from '../../core/errors.ts'
import { quoteIdentifier } from '../connection/client.ts'
import type { PostgresClient } from '../connection/client.ts'
import { PostgresServerError } from '../connection/server-error.ts'

/**
 * `FILE_COPY` copies files between two checkpoints of the whole server; `WAL_LOG` copies blocks through the log. The
 * first is faster where nothing is durable, the second where a checkpoint has to reach a disk that others use too.
 */
export type CopyStrategy = 'FILE_COPY' | 'WAL_LOG'

/** What to create. */
export interface CreateDatabaseOptions {
  name: string
  owner: string
  /** Absent: the server's own template1. */
  template?: string
  /** `server_version_num` */
  versionNumber: number
  /** How the template is copied. @default 'FILE_COPY' */
  strategy?: CopyStrategy
  /** How long to go on while somebody is connected to the template. Milliseconds. @default 15_000 */
  deadlineMs?: number
}

const objectInUse = '55006'
const duplicateDatabase = '42P04'

/**
 * Creates a database, again and again while its template is in use.
 *
 * @returns whether it was created: `false` when there is one of this name already.
 * @throws VivariumError DATABASE_NOT_CREATED
 */
export async function createDatabase(client: PostgresClient, options: CreateDatabaseOptions): Promise<boolean> {
  const { name, owner, template, versionNumber, strategy = 'FILE_COPY', deadlineMs = 15_000 } = options
  const parts = [`CREATE DATABASE ${quoteIdentifier(name)} OWNER ${quoteIdentifier(owner)}`]
  if (template !== undefined) {
    parts.push(`TEMPLATE ${quoteIdentifier(template)}`)
    // PostgreSQL 14 copies files always and has no word for it.
    if (versionNumber >= 150_000) parts.push(`STRATEGY ${strategy}`)
  }
  const statement = parts.join(' ')
  const start = now()
  for (;;) {
    try {
      await client.query(statement)
      return true
    } catch (error) {
      if (!(error instanceof PostgresServerError)) throw error
      if (error.code === duplicateDatabase) return false
      if (error.code !== objectInUse || now() - start > deadlineMs) throw notCreated(options, error)
      await new Promise<void>((resolve) => realSetTimeout(resolve, 50))
    }
  }
}

function notCreated({ name, owner, template }: CreateDatabaseOptions, error: PostgresServerError): VivariumError {
  const remedies: Readonly<Record<string, string>> = {
    '42501': `Let the role create databases (ALTER ROLE ${quoteIdentifier(owner)} CREATEDB), or set VIVARIUM_POSTGRES_URL to a role that may, or leave it out: Vivarium then starts a server of its own.`,
    '53100':
      'Free disk space on the server: each database of a test that runs at the same time is a copy of the template.',
    [objectInUse]: `Something stays connected to "${template ?? 'template1'}": close it; nothing may be connected to a database while it is copied.`,
    '53300': "Raise the server's max_connections, or run fewer workers.",
  }
  return new VivariumError('DATABASE_NOT_CREATED', {
    what: `The server did not create the database "${name}".`,
    seen: error.message,
    remedy: remedies[error.code] ?? "See the server's message.",
    cause: error,
  })
}

/** Drops a database of ours if it exists, ending what is connected to it. */
export async function dropDatabase(client: PostgresClient, name: string): Promise<void> {
  await client.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE)`)
}
