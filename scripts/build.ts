/**
 * Builds packages/vivarium into dist/: ES modules, CommonJS, declarations of both, and what a Vitest worker loads in one file.
 * Everything is written beside dist and moved there at the end, so that a reader never meets half a build.
 *
 * `--if-needed`: does nothing when dist is newer than every source file.
 */
import { existsSync, mkdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import type { Plugin } from 'esbuild'
import { bundleContractLibraries } from './support/bundle-contract-libraries.ts'
import { bundleFile } from './support/bundle-file.ts'
import { bundleMailLibraries } from './support/bundle-mail-libraries.ts'
import { licencesOf } from './support/bundled-licences.ts'
import { filesBelow } from './support/files.ts'
import { packageFolder } from './support/paths.ts'
import { runTool } from './support/run.ts'
import type { RunResult } from './support/run.ts'

const dist = join(packageFolder, 'dist')
/** What a run loads only where it has the component, each in a file of its own. */
const onDemand = ['redis/component/worker', 'mail/mail-server', 'http/intercept/interception']
/** Written last: its age is the build's age. */
const marker = 'cjs/package.json'

if (!process.argv.includes('--if-needed') || !isFresh()) process.exitCode = await build()

async function build(): Promise<number> {
  // Same depth as dist: the source maps' relative paths stay right after the move.
  const next = join(packageFolder, `.build-${process.pid}`)
  const earlier = `${next}-earlier`
  const started = new Date()
  try {
    const results = await Promise.all([compile('esm', next), compile('cjs', next)])
    const passed = results.every((result) => result.code === 0)
    if (passed) {
      const libraries = await Promise.all([bundleMailLibraries(next), bundleContractLibraries(next)])
      await bundleRuntimes(next)
      writeFileSync(join(next, 'LICENCES-OF-BUNDLED.txt'), licencesOf(libraries.flat()))
    }
    // Both compilations say the same about the same source: once is enough.
    const said = new Set(results.flatMap((result) => result.output.split('\n')).filter((line) => line !== ''))
    for (const line of said) console.log(line)
    mkdirSync(join(next, 'cjs'), { recursive: true })
    writeFileSync(join(next, marker), '{ "type": "commonjs" }\n')
    // A source file saved during the build is newer than it; a build with type errors is never fresh.
    utimesSync(join(next, marker), started, passed ? started : new Date(0))
    if (existsSync(dist)) renameSync(dist, earlier)
    renameSync(next, dist)
    return passed ? 0 : 1
  } finally {
    rmSync(next, { recursive: true, force: true })
    rmSync(earlier, { recursive: true, force: true })
  }
}

function compile(format: 'esm' | 'cjs', folder: string): Promise<RunResult> {
  const project = join(packageFolder, `tsconfig.${format}.json`)
  const args = ['-p', project, '--outDir', join(folder, format), '--pretty', 'false']
  return runTool('typescript/bin/tsc', args, { capture: true })
}

/**
 * What every Vitest worker loads, and what opening a vivarium loads, in one file each: with some hundred modules, finding and
 * linking them takes longer than everything else that a worker does to get ready (docs/decisions/012). Stack traces go
 * through the source map, as everywhere.
 */
async function bundleRuntimes(folder: string): Promise<void> {
  await bundleApart(folder, 'vitest/worker-runtime', [...onDemand, 'pubsub/index'])
  await bundleApart(folder, 'vivarium/runtime', ['core/clock', ...onDemand])
  // A test file that makes rows, or that speaks of HTTP services or of inboxes, loads it.
  await bundleApart(folder, 'factory/index', ['core/clock'])
  await bundleApart(folder, 'http/index', ['core/clock', 'http/contract/ajv-library', 'http/contract/yaml-library'])
  await bundleApart(folder, 'pubsub/index', ['core/clock'])
  for (const entry of onDemand) await bundleApart(folder, entry, ['core/clock', 'mail/libraries'])
}

/**
 * Bundles a module, and leaves out of it those that are `apart`. The clock is loaded with the package itself, before a test can fake timers: a
 * copy in a file that is loaded later would come too late. What speaks SMTP is loaded with the first mail.
 */
async function bundleApart(folder: string, entry: string, apart: readonly string[]): Promise<void> {
  await bundleFile(join(folder, `esm/${entry}.js`), { plugins: apart.map((module) => keepApart(module, entry)) })
}

function keepApart(module: string, entry: string): Plugin {
  const name = posix.basename(module)
  const path = `${'../'.repeat(entry.split('/').length - 1)}${module}.js`
  return {
    name: `keep ${module} apart`,
    setup: ({ onResolve }) => {
      onResolve({ filter: new RegExp(`/${name}\\.js$`) }, (asked) =>
        asked.kind === 'entry-point' ||
        !posix.resolve('/', posix.dirname(asked.importer), asked.path).endsWith(`/${module}.js`)
          ? undefined
          : { path, external: true },
      )
    },
  }
}

function isFresh(): boolean {
  const built = statSync(join(dist, marker), { throwIfNoEntry: false })?.mtimeMs
  if (built === undefined) return false
  const inputs = ['package.json', 'tsconfig.esm.json', 'tsconfig.cjs.json', '../../tsconfig.base.json']
  return [...inputs.map((file) => join(packageFolder, file)), ...filesBelow(join(packageFolder, 'src'), '.ts')].every(
    (file) => statSync(file).mtimeMs < built,
  )
}
