import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Names that a configuration file goes by, in the order in which they are looked for. */
export const configFileNames: readonly string[] = ['ts', 'mts', 'js', 'mjs'].map(
  (extension) => `vivarium.config.${extension}`,
)

/** The configuration file in the first of the folders that has one. */
export function findConfigFile(folders: readonly string[]): string | undefined {
  return folders.flatMap((folder) => configFileNames.map((name) => join(folder, name))).find((file) => existsSync(file))
}
