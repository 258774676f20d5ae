import { availableParallelism } from 'node:os'
import { dirname, relative } from 'node:path'
import type { TestProject } from 'vitest/node'
import { VivariumError } from '../core/errors.ts'
import { configFileNames, findConfigFile } from '../vivarium/config-file.ts'
import { resolveOptions, type ResolvedOptions } from '../vivarium/config.ts'
import { openVivariumHost } from '../vivarium/runtime.ts'
import { countWorkers } from './count-workers.ts'
import { pluginName, type VivariumPluginApi } from './plugin.ts'
import './provided-context.ts'

/**
 * Runs once per project, before its first test, in Vitest's own process: opens what all workers share, and closes it at
 * the end. In watch mode it stays open between reruns.
 */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  // Vitest also sets up the root, when that only holds projects and runs no test itself.
  if (!project.vitest.projects.includes(project)) return undefined
  const { config, vitest } = project
  const workers = countWorkers({
    asked: config.maxWorkers || vitest.config.maxWorkers,
    files: vitest.state.getPaths().length,
    cores: availableParallelism(),
    watches: vitest.config.watch,
  })
  const host = await openVivariumHost(await readOptions(project), {
    clones: Math.min(workers, 16),
    workers,
  })
  project.provide('vivarium', host.joinInfo)
  let lost: Error | undefined
  void host.lost.then((reason) => {
    lost = reason
    // At once: what the tests report from now on are its consequences.
    project.vitest.logger.error(`\n${reason.message}\n`)
  })
  return async () => {
    await host.close()
    if (lost !== undefined) throw lost
  }
}

async function readOptions(project: TestProject): Promise<ResolvedOptions> {
  const plugin = project.vite.config.plugins.find(({ name }) => name === pluginName)
  const options = (plugin?.api as VivariumPluginApi | undefined)?.options
  const environment = process.env
  if (options !== undefined) {
    return resolveOptions(options, { source: 'vivarium(options)', folder: project.config.root, environment })
  }
  const file = configFileOf(project)
  const source = relative(process.cwd(), file)
  // Vite's module runner understands TypeScript on every Node, so no loader of our own is needed.
  const module: { default?: unknown } = await project.import(file)
  if (module.default === undefined) {
    throw new VivariumError('CONFIG_INVALID', {
      what: `${source} has no default export.`,
      remedy: 'Write `export default defineConfig({ … })`.',
    })
  }
  return resolveOptions(module.default, { source, folder: dirname(file), environment })
}

/** Beside the project's configuration, else beside the one of the whole run. */
function configFileOf(project: TestProject): string {
  const folders = [...new Set([project.config.root, project.vitest.config.root])]
  const found = findConfigFile(folders)
  if (found !== undefined) return found
  throw new VivariumError('CONFIG_INVALID', {
    what: 'The Vitest plugin was given no options and found no vivarium.config.ts.',
    seen: `looked for ${configFileNames.join(', ')} in ${folders.join(' and ')}`,
    remedy:
      "Write one (`export default defineConfig({ postgres: { migrations: './migrations' } })`), or pass the options: " +
      "`vivarium({ postgres: { migrations: './migrations' } })`.",
  })
}
