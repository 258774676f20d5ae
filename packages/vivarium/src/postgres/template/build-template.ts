import { VivariumError } from '../../core/errors.ts'
import { quoteIdentifier, quoteLiteral } from '../connection/client.ts'
import type { PostgresClient } from '../connection/client.ts'
import { PostgresServerError } from '../connection/server-error.ts'
import type { PostgresServer } from '../server/postgres-server.ts'
import { lockKey, lockMatches } from './advisory-lock.ts'
import { createDatabase } from './create-database.ts'
import { newBuildingName, templateName } from './database-names.ts'
import { discardBuilding, sweepBuildings } from './building-databases.ts'
import { openMaintenanceConnection } from './maintenance-connection.ts'
import { toMigrationSource } from './migrations.ts'
import type { Migrations } from './migrations.ts'
import { noteTemplateUse, useTemplate } from './prune-templates.ts'
import { publishTemplate } from './publish-template.ts'
import { runMigrations } from './run-migrations.ts'
import { TransactionRefused } from './run-sql-files.ts'

/** A migrated database that clones are made of. Nobody can connect to it. */
export interface Template {
  readonly database: string
  readonly hash: string
  /** Whether this call built it. */
  readonly built: boolean
}

export interface BuildTemplateOptions {
  /** From {@link hashMigrations}. */
  hash: string
  /** Environment variable in which a migration command finds the URL. */
  env: string
  /** For each file of a folder, or for the whole command or function. Milliseconds. @default 60_000 */
  deadlineMs?: number
  /** How long to wait while another process builds the same template. Milliseconds. @default 120_000 */
  waitMs?: number
}

/**
 * Finds the template of these migrations on the server, or builds it: once, however many processes ask at the same
 * time. It is built under another name, so that a template is whole or is not there.
 *
 * @throws VivariumError MIGRATIONS_NOT_FOUND, MIGRATION_UNREADABLE, MIGRATION_FAILED, MIGRATION_TIMEOUT,
 * EXTENSION_MISSING, TEMPLATE_WAIT_TIMEOUT, TEMPLATE_UNUSABLE, DATABASE_NOT_CREATED, SERVER_POOLED
 */
export async function buildTemplate(
  server: PostgresServer,
  migrations: Migrations,
  options: BuildTemplateOptions,
): Promise<Template> {
  const { hash } = options
  const database = templateName(hash)
  const client = await openMaintenanceConnection(server.maintenance, `template ${hash}`)
  let built = false
  try {
    await useTemplate(client, database)
    if (!(await isThere(client, server, database))) {
      await lockTemplate(client, hash, options.waitMs ?? 120_000)
      if (!(await isThere(client, server, database))) {
        await sweepBuildings(client)
        built = await build(client, server, migrations, options)
      }
      await client.query(`SELECT pg_catalog.pg_advisory_unlock(${lockKey('template', hash)})`)
    }
    // A server of our own goes with its run.
    if (server.kind === 'external') await noteTemplateUse(client, database)
  } finally {
    await client.close()
  }
  if (built) await server.saveImage(hash)
  return { database, hash, built }
}

async function isThere(client: PostgresClient, server: PostgresServer, database: string): Promise<boolean> {
  const rows = await client.query(
    `SELECT pg_catalog.pg_get_userbyid(datdba) AS owner FROM pg_catalog.pg_database WHERE datname = ${quoteLiteral(database)}`,
  )
  const owner = rows[0]?.['owner']
  const { user } = server.application(database)
  if (owner === undefined || owner === user) return owner !== undefined
  throw new VivariumError('TEMPLATE_UNUSABLE', {
    what: `The template database "${database}" belongs to another role.`,
    seen: `owner "${owner}", and the application logs in as "${user}"`,
    remedy: `Use the same role for all runs on this server, or drop it: ALTER DATABASE ${quoteIdentifier(database)} IS_TEMPLATE false; DROP DATABASE ${quoteIdentifier(database)}.`,
  })
}

async function lockTemplate(client: PostgresClient, hash: string, waitMs: number): Promise<void> {
  const key = lockKey('template', hash)
  await client.query(`SET lock_timeout = ${Math.max(1, Math.round(waitMs))}`)
  await client.query(`SELECT pg_catalog.pg_advisory_lock(${key})`).catch(async (error: unknown) => {
    if (!(error instanceof PostgresServerError) || error.code !== '55P03') throw error
    const holders = await client.query(
      `SELECT a.pid, a.application_name, a.client_addr, a.state_change
         FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid) WHERE ${lockMatches('l', key)}`,
    )
    const seen = holders.map(
      (row) => `backend ${row['pid']} (${row['application_name']}, from ${row['client_addr'] ?? 'a socket'}) holds it`,
    )
    throw new VivariumError('TEMPLATE_WAIT_TIMEOUT', {
      what: `Waited ${waitMs} ms for another process to finish building the template ${templateName(hash)}.`,
      seen: seen.join('; ') || 'nobody holds the lock any more',
      remedy: 'See whether its migrations hang (its own deadline ends them), and run again.',
      cause: error,
    })
  })
  await client.query('SET lock_timeout = 0')
}

/** Returns whether it was this build that became the template. */
async function build(
  client: PostgresClient,
  server: PostgresServer,
  migrations: Migrations,
  options: BuildTemplateOptions,
): Promise<boolean> {
  const source = toMigrationSource(migrations)
  const deadlineMs = options.deadlineMs ?? 60_000
  const withoutTransaction = new Set<string>()
  for (;;) {
    const building = newBuildingName(options.hash)
    const { user } = server.application(building)
    await createDatabase(client, { name: building, owner: user, versionNumber: server.versionNumber })
    try {
      const { env } = options
      await runMigrations({ client, server, source, database: building, env, deadlineMs, withoutTransaction })
      return await publishTemplate(client, server, { building, database: templateName(options.hash), deadlineMs })
    } catch (error) {
      await discardBuilding(client, building)
      if (!(error instanceof TransactionRefused)) throw error
      // From an empty database again: sequences do not roll back, and a template must not depend on a failed attempt.
      withoutTransaction.add(error.file)
    }
  }
}
