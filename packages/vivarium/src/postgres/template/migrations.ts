/** A folder of SQL files. */
export interface FolderMigrations {
  folder: string
}

/** A shell command that finds the database's URL in the environment variable of the configuration (`DATABASE_URL`). */
export interface CommandMigrations {
  command: string
  /** Files and folders that the command reads: when one changes, the template is built anew. */
  inputs: string[]
}

/** A function that is given the database's URL. */
export interface FunctionMigrations {
  run: (url: string) => Promise<void> | void
  /** Files and folders that the function reads: when one changes, the template is built anew. */
  inputs: string[]
}

/** How the schema of the template comes about; a string is a folder of SQL files. */
export type Migrations = string | FolderMigrations | CommandMigrations | FunctionMigrations

/** {@link Migrations} with the kind made plain. */
export type MigrationSource =
  | ({ kind: 'folder' } & FolderMigrations)
  | ({ kind: 'command' } & CommandMigrations)
  | ({ kind: 'function' } & FunctionMigrations)

export function toMigrationSource(migrations: Migrations): MigrationSource {
  if (typeof migrations === 'string') return { kind: 'folder', folder: migrations }
  if ('folder' in migrations) return { kind: 'folder', ...migrations }
  if ('command' in migrations) return { kind: 'command', ...migrations }
  return { kind: 'function', ...migrations }
}
