import { existsSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'

/** Files below `folder` whose name ends with `suffix`, as sorted paths; nothing below node_modules, dist or a dot folder. */
export function filesBelow(folder: string, suffix: string): string[] {
  if (!existsSync(folder)) return []
  const found: string[] = []
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (entry.name !== 'node_modules' && entry.name !== 'dist' && !entry.name.startsWith('.')) {
        found.push(...filesBelow(path, suffix))
      }
    } else if (entry.name.endsWith(suffix)) found.push(path)
  }
  return found.toSorted()
}

/** `path` as it is written in docs and messages: from `from`, with forward slashes. */
export function shown(from: string, path: string): string {
  return relative(from, path).replaceAll('\\', '/')
}
