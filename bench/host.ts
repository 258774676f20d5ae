import { Client } from 'pg'
import { openArm } from './process/arm-handle.ts'
import type { ArmHandle } from './process/arm-handle.ts'
import { readMigrations } from './fixture/schema.ts'

/** The one server of a run, with the databases of the arms that do without Vivarium. */
export interface BenchHost extends AsyncDisposable {
  readonly serverUrl: string
  readonly serverVersion: string
  readonly templateDatabase: string
  /** The arm that started the server: Vivarium as a user has it, with the embedded server. */
  readonly vivarium: ArmHandle
  /**
   * Makes a database and returns its URL: from the template that all of them share, or an empty one in which `schema` is
   * run.
   */
  createDatabase(name: string, schema?: string): Promise<string>
  close(): Promise<void>
}

const prefix = 'vivarium_bench_'

/**
 * Starts the embedded server through Vivarium, as a user's process does, and makes a template on it for the other
 * arms: the same migrations, analysed, on the same server, outside every sandbox.
 */
export async function openHost(): Promise<BenchHost> {
  const vivarium = await openArm('vivarium', {})
  let admin: Client | undefined
  try {
    const { serverUrl } = vivarium
    if (serverUrl === undefined) throw new Error('Vivarium named no server, so there is nothing to compare it with')
    admin = new Client({ connectionString: serverUrl })
    await admin.connect()
    return await prepareHost(vivarium, serverUrl, admin)
  } catch (error) {
    await admin?.end()
    await vivarium.close()
    throw error
  }
}

async function prepareHost(vivarium: ArmHandle, serverUrl: string, admin: Client): Promise<BenchHost> {
  await dropDatabases(admin)
  const templateDatabase = `${prefix}template`
  await admin.query(`create database ${templateDatabase}`)
  await migrate(databaseUrl(serverUrl, templateDatabase), await readMigrations())
  const version = await admin.query('show server_version')
  const close = async (): Promise<void> => {
    try {
      await dropDatabases(admin)
    } finally {
      await admin.end()
      await vivarium.close()
    }
  }
  return {
    serverUrl,
    serverVersion: version.rows[0].server_version,
    templateDatabase,
    vivarium,
    async createDatabase(name, schema) {
      const database = prefix + name
      await admin.query(`create database ${database}${schema === undefined ? ` template ${templateDatabase}` : ''}`)
      const url = databaseUrl(serverUrl, database)
      if (schema !== undefined) await migrate(url, [schema])
      return url
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function migrate(url: string, migrations: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    for (const migration of migrations) await client.query(migration)
    await client.query('analyze')
  } finally {
    await client.end()
  }
}

/** Drops what this run made, and what a run before it left. */
async function dropDatabases(admin: Client): Promise<void> {
  const { rows } = await admin.query(`select datname from pg_database where datname like '${prefix}%'`)
  for (const { datname } of rows) await admin.query(`drop database ${datname} with (force)`)
}

function databaseUrl(serverUrl: string, database: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${database}`
  return url.href
}
