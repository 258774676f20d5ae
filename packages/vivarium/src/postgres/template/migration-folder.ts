import { readFile, readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { VivariumError } from '../../core/errors.ts'

/** One SQL file of a migrations folder. */
export interface MigrationFile {
  /** Path inside the folder, with `/`: `0001_users.sql`, `20260101_init/migration.sql`. */
  readonly name: string
  readonly path: string
  readonly content: Buffer
}

/**
 * The SQL files of a folder in the order in which they run: `*.sql` and the `migration.sql` of sub-folders (Prisma's
 * layout), mixed, by the name of the file or sub-folder, compared by UTF-16 code units. A `x.down.sql` beside its
 * `x.up.sql` undoes it and is left out.
 *
 * @throws VivariumError MIGRATIONS_NOT_FOUND when there is no such folder or nothing in it to run.
 */
export async function readMigrationFolder(folder: string): Promise<MigrationFile[]> {
  const root = resolve(folder)
  const entries = await readdir(root).catch((cause: unknown) => {
    throw notFound(`The migrations folder ${root} cannot be read.`, String((cause as Error).message), cause)
  })
  // The default order of sort() is that of code units: the same on every machine, whatever its locale.
  const names = new Set(entries.toSorted())
  const files: MigrationFile[] = []
  for (const entry of names) {
    const name = await toFileName(root, entry)
    if (name === undefined || isDownFile(entry, names)) continue
    const path = join(root, name)
    files.push({ name, path, content: await readFile(path) })
  }
  if (files.length > 0) return files
  const seen = entries.length === 0 ? 'the folder is empty' : `only ${[...names].slice(0, 8).join(', ')}`
  throw notFound(`The migrations folder ${root} holds no .sql file and no sub-folder with a migration.sql.`, seen)
}

async function toFileName(root: string, entry: string): Promise<string | undefined> {
  if (entry.startsWith('.')) return undefined
  const found = await stat(join(root, entry))
  if (found.isFile()) return entry.endsWith('.sql') ? entry : undefined
  if (!found.isDirectory()) return undefined
  const nested = await stat(join(root, entry, 'migration.sql')).catch(() => undefined)
  return nested?.isFile() === true ? `${entry}/migration.sql` : undefined
}

function isDownFile(entry: string, names: ReadonlySet<string>): boolean {
  return entry.endsWith('.down.sql') && names.has(entry.replace(/\.down\.sql$/, '.up.sql'))
}

/** The first pair of names that a reader of numbers would put the other way round: `10_x` runs before `2_x`. */
export function findSurprisingOrder(names: readonly string[]): [string, string] | undefined {
  for (let index = 1; index < names.length; index++) {
    const [before, after] = [names[index - 1] as string, names[index] as string]
    if (leadingNumber(before) > leadingNumber(after)) return [before, after]
  }
  return undefined
}

function leadingNumber(name: string): number {
  return Number(/^V?(\d+)/i.exec(name)?.[1] ?? Number.NaN)
}

export function notFound(what: string, seen: string, cause?: unknown): VivariumError {
  return new VivariumError('MIGRATIONS_NOT_FOUND', {
    what,
    seen,
    remedy:
      'Point `postgres.migrations` at the folder of SQL files (relative to the working directory), or give it ' +
      '`{ command, inputs }` or `{ run, inputs }`.',
    cause,
  })
}
