import { fileURLToPath } from 'node:url'
import type { ViteUserConfig } from 'vitest/config'
import type { Vite, VitestPluginContext } from 'vitest/node'
import type { VivariumOptions } from '../vivarium/config.ts'
import { isolationTags } from './isolation-tags.ts'
import './matcher-types.ts'
import './provided-context.ts'
import { RunReporter } from './run-reporter.ts'

/** The name by which the global set-up finds the plugin, and with it its options. */
export const pluginName = 'vivarium'

/** What the plugin tells the global set-up. */
export interface VivariumPluginApi {
  /** Inline options; `undefined` means: read `vivarium.config.ts`. */
  readonly options: VivariumOptions | undefined
}

/**
 * The Vitest plugin: every test runs in its own sandbox, with no change in the tests. Without options it reads
 * `vivarium.config.ts` beside the Vitest configuration. Relative paths in inline options start at the project's root.
 *
 * @example
 * ```ts
 * import { defineConfig } from 'vitest/config'
 * import { vivarium } from 'vivarium/vitest'
 *
 * export default defineConfig({ plugins: [vivarium()] })
 * ```
 */
export function vivarium(options?: VivariumOptions): VivariumPlugin {
  const api: VivariumPluginApi = { options }
  return {
    name: pluginName,
    api,
    config: (config: ViteUserConfig) => {
      const test = (config.test ??= {})
      addSetup(test)
      addTags(test)
    },
    // Again: between the two, Vitest gives an inline project back the tags that stand in its own options.
    configResolved: (config) => {
      addTags(((config as { test?: TestConfig }).test ??= {}))
    },
    configureVitest: ({ vitest }) => {
      const reporters: unknown[] = vitest.config.reporters
      // One reporter per run, however many projects have the plugin.
      if (!reporters.some((reporter) => reporter instanceof RunReporter)) reporters.push(new RunReporter())
    },
  }
}

/** A Vite plugin with Vitest's hook. */
export type VivariumPlugin = Vite.Plugin<VivariumPluginApi> & {
  configureVitest(context: Pick<VitestPluginContext, 'vitest'>): void
}

type TestConfig = NonNullable<ViteUserConfig['test']>

function addSetup(test: TestConfig): void {
  test.globalSetup = [sibling('global-setup'), ...listOf(test.globalSetup)]
  // First, and one after the other (Vitest's default is all at once): the user's own set-up files already find
  // the application's environment variable written.
  test.setupFiles = [sibling('worker-setup'), ...listOf(test.setupFiles)]
  test.sequence = { ...test.sequence, setupFiles: 'list' }
  // Inside node_modules this is Vitest's default. A linked checkout would have every module sent through Vite.
  const deps = ((test.server ??= {}).deps ??= {})
  deps.external = [...(deps.external ?? []), ourFolder()]
}

function addTags(test: TestConfig): void {
  const known = new Set(test.tags?.map(({ name }) => name))
  test.tags = [...(test.tags ?? []), ...isolationTags.filter(({ name }) => !known.has(name))]
}

function listOf(value: string | string[] | undefined): string[] {
  return value === undefined ? [] : [value].flat()
}

/** Path of a module beside this one: `.js` in the package, `.ts` in its sources. */
function sibling(name: string): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return fileURLToPath(new URL(`./${name}.${extension}`, import.meta.url))
}

/** Matches what is built of this package; sources on Node 20 must go through Vite. */
function ourFolder(): RegExp {
  const folder = fileURLToPath(new URL('..', import.meta.url)).replaceAll('\\', '/')
  return new RegExp(`^(file://)?/?${folder.replace(/^\//, '').replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}.*\\.js$`)
}
