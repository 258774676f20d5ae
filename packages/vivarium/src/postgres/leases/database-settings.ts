import { quoteIdentifier, quoteLiteral } from '../connection/client.ts'
import type { PostgresClient } from '../connection/client.ts'

/** Settings whose value is a list of names, stored with its quotes (variable_is_guc_list_quote of pg_dump). */
const listSettings: ReadonlySet<string> = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
])

/**
 * What a database has besides its content, as statements to repeat on a copy: ALTER DATABASE SET, also for one role,
 * and privileges. CREATE DATABASE … TEMPLATE copies neither. The copy's quoted name goes between the two halves.
 */
export async function readDatabaseSettings(client: PostgresClient, database: string): Promise<[string, string][]> {
  const settings = await client.query(
    `SELECT pg_catalog.pg_get_userbyid(nullif(s.setrole, 0)) AS role, entry
       FROM pg_catalog.pg_db_role_setting s
       JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase, pg_catalog.unnest(s.setconfig) AS entry
      WHERE d.datname = ${quoteLiteral(database)}`,
  )
  const statements = settings.map(({ role, entry }) => toSettingStatement(role, entry ?? ''))
  return [...statements, ...(await readPrivileges(client, database))]
}

function toSettingStatement(role: string | null | undefined, entry: string): [string, string] {
  const equals = entry.indexOf('=')
  const name = entry.slice(0, equals)
  const value = entry.slice(equals + 1)
  const values = listSettings.has(name) ? splitNames(value) : [value]
  const assignment = `${name.split('.').map(quoteIdentifier).join('.')} = ${values.map(quoteLiteral).join(', ')}`
  const before = role ? `ALTER ROLE ${quoteIdentifier(role)} IN DATABASE ` : 'ALTER DATABASE '
  return [before, ` SET ${assignment}`]
}

/** The names of a stored list: `"$user", public`. */
export function splitNames(value: string): string[] {
  const names = [...value.matchAll(/"((?:[^"]|"")*)"|[^,\s]+/g)].map(
    ([whole, quoted]) => quoted?.replaceAll('""', '"') ?? whole,
  )
  return names.length === 0 ? [''] : names
}

async function readPrivileges(client: PostgresClient, database: string): Promise<[string, string][]> {
  const rows = await client.query(
    `SELECT pg_catalog.pg_get_userbyid(d.datdba) AS owner, acl.grantee, acl.privilege_type AS privilege,
            pg_catalog.pg_get_userbyid(nullif(acl.grantee, 0)) AS role, acl.is_grantable AS grantable
       FROM pg_catalog.pg_database d LEFT JOIN pg_catalog.aclexplode(d.datacl) acl ON true
      WHERE d.datname = ${quoteLiteral(database)} AND d.datacl IS NOT NULL`,
  )
  const owner = rows[0]?.['owner']
  if (owner === undefined || owner === null) return []
  const statements: [string, string][] = [['REVOKE ALL ON DATABASE ', ` FROM PUBLIC, ${quoteIdentifier(owner)}`]]
  for (const { privilege, role, grantable } of rows) {
    if (privilege === undefined || privilege === null) continue
    const grantee = role ? quoteIdentifier(role) : 'PUBLIC'
    const option = grantable === 't' && role !== owner ? ' WITH GRANT OPTION' : ''
    statements.push([`GRANT ${privilege} ON DATABASE `, ` TO ${grantee}${option}`])
  }
  return statements
}

/** The statements that repeat the settings on a copy. */
export function databaseSettingsStatements(
  database: string,
  settings: readonly (readonly [string, string])[],
): string[] {
  const name = quoteIdentifier(database)
  return settings.map(([before, after]) => `${before}${name}${after}`)
}
