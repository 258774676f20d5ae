import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { VivariumError } from '../core/errors.ts'
import { configFileNames, findConfigFile } from '../vivarium/config-file.ts'
import { resolveOptions, type ResolvedOptions } from '../vivarium/config.ts'

/** A configuration, and the folder at which its relative paths start. */
export interface LoadedConfig {
  readonly folder: string
  readonly options: ResolvedOptions
}

/** Reads the project's configuration: the file that was named, else the one in the folder. */
export async function loadConfig(folder: string, named: string | undefined): Promise<LoadedConfig> {
  const file = named === undefined ? findConfigFile([folder]) : resolve(folder, named)
  if (file === undefined || !existsSync(file)) throw notFound(folder, named)
  const source = relative(folder, file)
  const module = await importModule(file, source)
  if (module.default === undefined) {
    throw new VivariumError('CONFIG_INVALID', {
      what: `${source} has no default export.`,
      remedy: 'Write `export default defineConfig({ … })`.',
    })
  }
  const options = resolveOptions(module.default, { source, folder: dirname(file), environment: process.env })
  if (options.postgres === undefined) {
    throw new VivariumError('CONFIG_INVALID', {
      what: `${source} has no \`postgres\`: there are no tables to look at.`,
      remedy: "Give it the migrations: `postgres: { migrations: './migrations' }`.",
    })
  }
  return { folder: dirname(file), options }
}

interface ConfigModule {
  readonly default?: unknown
}

async function importModule(file: string, source: string): Promise<ConfigModule> {
  const url = pathToFileURL(file).href
  if (!/\.m?ts$/.test(file)) return (await import(url)) as ConfigModule
  const vite = findVite(dirname(file))
  if (vite !== undefined) {
    const { runnerImport } = (await import(pathToFileURL(vite).href)) as ViteModule
    const { module } = await runnerImport<ConfigModule>(file, { root: dirname(file), logLevel: 'error' })
    return module
  }
  // Node 22.18 and later read TypeScript themselves.
  if ('typescript' in process.features && process.features.typescript !== false)
    return (await import(url)) as ConfigModule
  throw new VivariumError('CONFIG_INVALID', {
    what: `${source} is TypeScript, and nothing here reads it.`,
    seen: `no Vite beside it, which comes with Vitest, and Node ${process.versions.node}`,
    remedy:
      'Install Vitest or Vite (6 or later), run this with Node 22.18 or later, or write the configuration as vivarium.config.mjs.',
  })
}

/** The part of Vite that reads a module as it reads those of tests. */
interface ViteModule {
  runnerImport<T>(file: string, config: object): Promise<{ readonly module: T }>
}

/** The project's Vite, else that of its Vitest: a package manager may keep it from the project. */
function findVite(folder: string): string | undefined {
  const project = createRequire(join(folder, 'package.json'))
  return (
    resolved(project, 'vite') ??
    resolved(createRequire(resolved(project, 'vitest/package.json') ?? join(folder, 'x')), 'vite')
  )
}

function resolved(require: NodeJS.Require, name: string): string | undefined {
  try {
    return require.resolve(name)
  } catch {
    return undefined
  }
}

function notFound(folder: string, named: string | undefined): VivariumError {
  return new VivariumError('CONFIG_INVALID', {
    what: named === undefined ? 'There is no vivarium.config.ts here.' : `There is no ${named}.`,
    seen: named === undefined ? `looked for ${configFileNames.join(', ')} in ${folder}` : `looked in ${folder}`,
    remedy:
      'Run this in the folder of the configuration, or name it: --config <file>. Options that stand in `vivarium(…)` in vitest.config.ts are not seen: move them to that file.',
  })
}
