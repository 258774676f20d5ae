import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServerUser } from './server-user.ts'

/** Raised when initdb's arguments change, so that older cached clusters are left alone. */
export const clusterFormat = 1

/** What differs from run to run. */
export interface RunSettings {
  readonly major: number
  readonly port: number
  readonly socketFolder: string
  readonly user: ServerUser | undefined
}

type Setting = readonly [name: string, value: string, since?: number]

// A cluster that lives as long as one test run: nothing is kept through a crash, nothing runs in the background.
const settings: readonly Setting[] = [
  ['fsync', 'off'],
  ['synchronous_commit', 'off'],
  ['full_page_writes', 'off'],
  ['wal_level', 'minimal'],
  ['max_wal_senders', '0'],
  ['wal_init_zero', 'off'],
  ['max_wal_size', '256MB'],
  ['checkpoint_timeout', '1h'],
  ['autovacuum', 'off'],
  ['bgwriter_lru_maxpages', '0'],
  ['max_logical_replication_workers', '0'],
  ['io_method', "'sync'", 18],
  // Room for sixteen workers whose tests have pools of their own; it costs 20 kB each in shared memory.
  ['max_connections', '500'],
  ['shared_buffers', '32MB'],
  ['huge_pages', 'off'],
  // In the run folder, not in /dev/shm: containers often have 64 MB there, and a killed server would leave segments.
  ['dynamic_shared_memory_type', "'mmap'"],
  // Compiling expressions never pays for itself on test data.
  ['jit', 'off'],
  ['createrole_self_grant', "'set, inherit'", 16],
  ['password_encryption', "'scram-sha-256'"],
  ['timezone', "'UTC'"],
  ['log_timezone', "'UTC'"],
  ['datestyle', "'iso, mdy'"],
  ['default_text_search_config', "'pg_catalog.english'"],
  // Statements that fail are the application's business; the log is for what happens to the server.
  ['log_min_messages', 'log'],
  ['log_checkpoints', 'off'],
  ['logging_collector', 'off'],
]

/** Writes `postgresql.conf` and `pg_hba.conf` for one run. */
export function writeSettings(dataFolder: string, run: RunSettings): void {
  const lines = settings
    .filter(([, , since]) => since === undefined || run.major >= since)
    .map(([name, value]) => `${name} = ${value}`)
  lines.push("listen_addresses = '127.0.0.1'", `port = ${run.port}`)
  lines.push(`unix_socket_directories = '${run.socketFolder.replaceAll("'", "''")}'`)
  // Only the server's user and ours pass through the run folder to the socket; TCP is open to everybody on this machine.
  const access = ['local all all trust', 'host all all 127.0.0.1/32 scram-sha-256']
  writeOwned(join(dataFolder, 'postgresql.conf'), lines, run.user)
  writeOwned(join(dataFolder, 'pg_hba.conf'), access, run.user)
}

function writeOwned(file: string, lines: readonly string[], user: ServerUser | undefined): void {
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 })
  if (user !== undefined) chownSync(file, user.uid, user.gid)
}

/** initdb's arguments: the same cluster on every machine, whatever its locale. */
export function initdbArguments(dataFolder: string, major: number, ctype: string): string[] {
  // The built-in provider (17 and later) compares by code point and knows case and classes of all of Unicode.
  const provider = major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : []
  return [
    `--pgdata=${dataFolder}`,
    '--username=postgres',
    '--auth=trust',
    '--encoding=UTF8',
    ...provider,
    '--locale=C',
    `--lc-ctype=${ctype}`,
    '--text-search-config=english',
    '--wal-segsize=1',
    '--no-sync',
    '--no-instructions',
  ]
}
