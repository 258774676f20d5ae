import { withDeadline } from '../../core/clock.ts'
import type { PostgresClient } from '../connection/client.ts'
import type { PostgresServer } from '../server/postgres-server.ts'
import { describeActivity } from './database-activity.ts'
import { timedOut, toolFailed } from './migration-errors.ts'
import { readMigrationFolder } from './migration-folder.ts'
import type { CommandMigrations, FunctionMigrations, MigrationSource } from './migrations.ts'
import { runCommand } from './run-command.ts'
import { runSqlFiles } from './run-sql-files.ts'

export interface RunMigrationsOptions {
  /** On the maintenance database. */
  client: PostgresClient
  server: PostgresServer
  source: MigrationSource
  database: string
  env: string
  deadlineMs: number
  withoutTransaction: ReadonlySet<string>
}

/** Runs the migrations on a new database, as the ordinary role that owns it. */
export async function runMigrations(options: RunMigrationsOptions): Promise<void> {
  const { client, server, source, database, deadlineMs, withoutTransaction } = options
  switch (source.kind) {
    case 'folder':
      await runSqlFiles(server.application(database), await readMigrationFolder(source.folder), {
        deadlineMs,
        withoutTransaction,
        describeActivity: () => describeActivity(client, database),
      })
      return
    case 'command':
      return runMigrationCommand(source, options)
    case 'function':
      return runMigrationFunction(source, options)
  }
}

async function runMigrationCommand({ command }: CommandMigrations, options: RunMigrationsOptions): Promise<void> {
  const { client, server, database, env, deadlineMs } = options
  const variables = { ...process.env, [env]: server.applicationUrl(database) }
  const { ending, exitCode, signal, tail } = await runCommand(command, variables, deadlineMs)
  const output = tail === '' ? '; it printed nothing' : `; the end of its output:\n${tail}`
  if (ending === 'exited' && exitCode === 0) return
  if (ending === 'timed out') {
    const activity = await describeActivity(client, database)
    throw timedOut(`The migration command \`${command}\``, deadlineMs, `${activity}${output}`)
  }
  const how =
    ending === 'exited' ? `exit code ${exitCode}` : ending === 'signalled' ? `signal ${signal}` : 'not started'
  throw toolFailed({
    what: `The migration command \`${command}\` failed.`,
    seen: `${how}${output}`,
    remedy: `Run it by hand with ${env} set to an empty database; nothing of the template was kept.`,
  })
}

async function runMigrationFunction({ run }: FunctionMigrations, options: RunMigrationsOptions): Promise<void> {
  const { client, server, database, deadlineMs } = options
  const late = new Error('late')
  const running = Promise.resolve(server.applicationUrl(database)).then(run)
  try {
    await withDeadline(running, deadlineMs, () => late)
  } catch (cause) {
    if (cause === late) {
      throw timedOut('The migration function', deadlineMs, await describeActivity(client, database))
    }
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
    throw toolFailed({
      what: 'The migration function failed.',
      seen: text,
      remedy: 'Correct what it runs; nothing of the template was kept.',
      cause,
    })
  }
}
