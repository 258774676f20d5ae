import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { readFile, readdir, stat } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { readMigrationFolder, notFound } from './migration-folder.ts'
import { toMigrationSource } from './migrations.ts'
import type { Migrations } from './migrations.ts'

/** To be raised when templates are built differently from the same migrations. */
const formatVersion = 3

/** What a template depends on besides the migrations. */
export interface HashMigrationsOptions {
  /** The server's major version, e.g. 18. */
  major?: number
  /** The role that owns the template. Two roles on one server have a template each. */
  role?: string
}

/**
 * 32 hexadecimal digits that change when the result of the migrations could: contents, names and paths of the files
 * (relative ones, so that a moved checkout keeps its template), command or function, server version, our own format.
 *
 * @throws VivariumError MIGRATIONS_NOT_FOUND
 */
export async function hashMigrations(migrations: Migrations, options: HashMigrationsOptions = {}): Promise<string> {
  const source = toMigrationSource(migrations)
  const hash = createHash('sha256')
  addPart(hash, `vivarium template ${formatVersion} ${options.major ?? ''} ${source.kind}`)
  addPart(hash, options.role ?? '')
  if (source.kind === 'folder') {
    for (const file of await readMigrationFolder(source.folder)) {
      addPart(hash, file.name)
      addPart(hash, file.content)
    }
  } else {
    addPart(hash, source.kind === 'command' ? source.command : source.run.toString())
    const inputs = source.inputs.map((input) => resolve(input))
    const base = commonFolder(inputs)
    for (const input of inputs) await addInput(hash, input, base)
  }
  return hash.digest('hex').slice(0, 32)
}

/** The innermost folder that all of them are in: their names from there are the same in every checkout. */
function commonFolder(paths: readonly string[]): string {
  let [base = ''] = paths.map((path) => dirname(path))
  const holdsAll = (): boolean => paths.every((path) => path.startsWith(base.endsWith(sep) ? base : base + sep))
  // Where there are drives, no folder may hold all.
  while (!holdsAll() && dirname(base) !== base) base = dirname(base)
  return base
}

async function addInput(hash: Hash, root: string, base: string): Promise<void> {
  const found = await stat(root).catch((cause: unknown) => {
    throw notFound(`The migration input ${root} does not exist.`, String((cause as Error).message), cause)
  })
  addPart(hash, relative(base, root).replaceAll('\\', '/'))
  if (!found.isDirectory()) {
    addPart(hash, await readFile(root))
    return
  }
  for (const name of await listFiles(root, '')) {
    addPart(hash, name)
    addPart(hash, await readFile(join(root, name)))
  }
}

async function listFiles(root: string, folder: string): Promise<string[]> {
  const names: string[] = []
  for (const entry of (await readdir(join(root, folder))).toSorted()) {
    if (entry === 'node_modules' || entry === '.git') continue
    const name = folder === '' ? entry : `${folder}/${entry}`
    const found = await stat(join(root, name))
    if (found.isDirectory()) names.push(...(await listFiles(root, name)))
    else if (found.isFile()) names.push(name)
  }
  return names
}

/** Each part goes in with its length, so that no two lists of parts look the same. */
function addPart(hash: Hash, part: string | Buffer): void {
  const bytes = typeof part === 'string' ? Buffer.from(part) : part
  hash.update(`${bytes.length}:`)
  hash.update(bytes)
}
