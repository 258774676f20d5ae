/** What npm would publish: packed, then looked at by publint and by attw as each kind of consumer would resolve it. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { packageFolder, root } from './support/paths.ts'
import { report } from './support/report.ts'
import { run, runTool } from './support/run.ts'

/** Subpaths that are ES modules only, and why. */
const esmOnly = [
  // The runner itself is ESM only, and the plugin finds its set-up files through import.meta.
  './vitest',
]

const folder = join(root, '.cache', `pack-${process.pid}`)
const problems: string[] = []

mkdirSync(folder, { recursive: true })
try {
  const packed = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: packageFolder,
    capture: true,
  })
  const file = /"filename":\s*"([^"]+)"/.exec(packed.output)?.[1]
  if (packed.code !== 0 || file === undefined) problems.push(`npm pack failed:\n${packed.output}`)
  else await checkPacked(join(folder, file))
} finally {
  rmSync(folder, { recursive: true, force: true })
}

report('package', problems, 'publint, attw')

async function checkPacked(tarball: string): Promise<void> {
  await tool('publint/src/cli.js', ['run', tarball, '--strict'])

  const manifest = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { exports: object }
  const subpaths = Object.keys(manifest.exports).filter((subpath) => subpath !== './package.json')
  const both = subpaths.filter((subpath) => !esmOnly.includes(subpath))
  const only = subpaths.filter((subpath) => esmOnly.includes(subpath))
  const attw = '@arethetypeswrong/cli/dist/index.js'
  // node16: the oldest resolution (node10) knows no exports, and no Node that this package runs on uses it.
  await tool(attw, [tarball, '--profile', 'node16', '--format', 'ascii', '--entrypoints', ...both])
  await tool(attw, [tarball, '--profile', 'esm-only', '--format', 'ascii', '--entrypoints', ...only])
}

async function tool(file: string, args: string[]): Promise<void> {
  const { code, output } = await runTool(file, args, { capture: true })
  if (code !== 0) problems.push(`${file} ${args.slice(1).join(' ')}\n${output}`)
}
