import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { cpus, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import type { Environment } from './results.ts'

const require = createRequire(import.meta.url)

/** Where the numbers are taken: hardware and versions, no names and no paths. */
export async function describeEnvironment(server: string): Promise<Environment> {
  const processors = cpus()
  return {
    processor: processors[0]?.model.trim() ?? 'unknown processor',
    cores: processors.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    server,
    pg: await versionOf('pg'),
    pglite: await versionOf('@electric-sql/pglite'),
    pgTransactionalTests: await versionOf('pg-transactional-tests'),
    vitest: await versionOf('vitest'),
  }
}

async function versionOf(name: string): Promise<string> {
  // Not every package exports its package.json, so look for it above its entry.
  for (let folder = dirname(require.resolve(name)); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = await readManifest(join(folder, 'package.json'))
    if (manifest?.name === name) return manifest.version
  }
  throw new Error(`The version of ${name} was not found`)
}

async function readManifest(path: string): Promise<{ name: string; version: string } | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as { name: string; version: string }
  } catch {
    return undefined
  }
}
