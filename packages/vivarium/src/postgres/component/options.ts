import { isAbsolute, resolve } from 'node:path'
import {
  countAt,
  invalidOption,
  isolationAt,
  millisecondsAt,
  objectAt,
  type Isolation,
  type OptionsContext,
  refuseUnknownKeys,
  textAt,
} from '../../core/options.ts'
import type { Migrations } from '../template/migrations.ts'

/** What Vivarium is to do about Postgres. */
export interface PostgresOptions {
  /**
   * What makes the schema: a folder of SQL files, a shell command, or a function given a URL. Left out, every
   * sandbox starts with an empty database. Relative paths start at the folder of the configuration file.
   */
  migrations?: Migrations
  /**
   * URL of a server to use instead of the embedded one. Its role needs CREATEDB; only databases named `vivarium_*`
   * are created and dropped. `VIVARIUM_POSTGRES_URL` in the environment wins over it.
   */
  url?: string
  /** Version of the embedded server. @default '18' */
  version?: string
  /** The environment variable that the application reads its URL from. It is only ever written. @default 'DATABASE_URL' */
  env?: string
  /** `VIVARIUM_ISOLATION` in the environment wins over it. @default 'transaction' */
  isolation?: Isolation
  /** Milliseconds a connection waits for another connection of the same sandbox before it gets an error. @default 1000 */
  waitMs?: number
  /**
   * Milliseconds that a connection may be idle inside its transaction before another connection of the same sandbox that
   * waits is run inside that transaction. @default 20
   */
  nestAfterMs?: number
  /**
   * Milliseconds that a migration may take: each file of a folder, or the whole command or function.
   * @default 60_000
   */
  migrationDeadlineMs?: number
  /**
   * How many connections to the server the whole run may have at once, ours included; each worker gets an equal share. Past
   * it a sandbox waits, then fails with CONNECTION_LIMIT.
   *
   * @default what the server accepts
   */
  maxConnections?: number
  /**
   * With isolation `'database'`: how many databases each worker keeps ready ahead at most. How many it really does follows
   * the demand.
   *
   * @default 4
   */
  warmClones?: number
}

/** {@link PostgresOptions} checked, with defaults, environment and absolute paths filled in. */
export interface ResolvedPostgres {
  readonly migrations: Migrations | undefined
  readonly url: string | undefined
  readonly version: string | undefined
  readonly env: string
  readonly isolation: Isolation
  readonly waitMs: number | undefined
  readonly nestAfterMs: number | undefined
  readonly migrationDeadlineMs: number | undefined
  readonly maxConnections: number | undefined
  readonly warmClones: number | undefined
}

const optionNames = [
  'migrations',
  'url',
  'version',
  'env',
  'isolation',
  'waitMs',
  'nestAfterMs',
  'migrationDeadlineMs',
  'maxConnections',
  'warmClones',
] as const satisfies readonly (keyof PostgresOptions)[]
const migrationForms: readonly (readonly string[])[] = [['folder'], ['command', 'inputs'], ['run', 'inputs']]

/** Checks the `postgres` options and completes them. Throws `CONFIG_INVALID` naming the option. */
export function resolvePostgres(value: unknown, context: OptionsContext): ResolvedPostgres {
  const { source, environment } = context
  const given = objectAt(value, 'postgres', source)
  refuseUnknownKeys(given, optionNames, 'postgres', source)
  const isolation = isolationAt(given.isolation, 'postgres.isolation', source)
  const url = textAt(given.url, 'postgres.url', source)
  // A variable that is set but empty means "not set": that is how shells and CI files clear one.
  const asked = isolationAt(environment.VIVARIUM_ISOLATION || undefined, 'VIVARIUM_ISOLATION', 'the environment')
  return {
    migrations: given.migrations === undefined ? undefined : resolveMigrations(given.migrations, context),
    url: environment.VIVARIUM_POSTGRES_URL || url,
    version: textAt(given.version, 'postgres.version', source),
    env: textAt(given.env, 'postgres.env', source) ?? 'DATABASE_URL',
    isolation: asked ?? isolation ?? 'transaction',
    waitMs: millisecondsAt(given.waitMs, 'postgres.waitMs', source),
    nestAfterMs: millisecondsAt(given.nestAfterMs, 'postgres.nestAfterMs', source),
    migrationDeadlineMs: millisecondsAt(given.migrationDeadlineMs, 'postgres.migrationDeadlineMs', source),
    maxConnections: countAt(given.maxConnections, 'postgres.maxConnections', source, 1),
    warmClones: countAt(given.warmClones, 'postgres.warmClones', source, 0),
  }
}

function resolveMigrations(given: unknown, { source, folder }: OptionsContext): Migrations {
  const path = 'postgres.migrations'
  const absolute = (file: string): string => (isAbsolute(file) ? file : resolve(folder, file))
  if (typeof given === 'string' && given !== '') return absolute(given)
  const form = typeof given === 'object' && given !== null && migrationForms.find(([name]) => name! in given)
  if (!form) {
    throw invalidOption(path, given, 'a folder, { folder }, { command, inputs } or { run, inputs }', source)
  }
  const { folder: migrationFolder, command, run, inputs } = objectAt(given, path, source)
  refuseUnknownKeys(given, form, path, source)
  if (form[0] === 'folder') {
    const text = textAt(migrationFolder, `${path}.folder`, source)
    if (text === undefined) throw invalidOption(`${path}.folder`, migrationFolder, 'a folder', source)
    return { folder: absolute(text) }
  }
  // Without its inputs a template could not be told from an outdated one.
  if (!Array.isArray(inputs) || inputs.length === 0 || !inputs.every((input) => typeof input === 'string')) {
    const wanted = 'a list of the files and folders that decide what the migrations do'
    throw invalidOption(`${path}.inputs`, inputs, wanted, source)
  }
  const files = inputs.map(absolute)
  if (typeof run === 'function') return { run: run as (url: string) => Promise<void> | void, inputs: files }
  if (typeof command === 'string' && command !== '') return { command, inputs: files }
  if (form[0] === 'run') throw invalidOption(`${path}.run`, run, 'a function', source)
  throw invalidOption(`${path}.command`, command, 'a shell command', source)
}
