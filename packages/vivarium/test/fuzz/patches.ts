/**
 * `npm run fuzz:patches`: does the fuzz find what is wrong? Each bug of `patches/` is put into a copy of the package,
 * never into the checkout, and the fuzz runs there until it has found it. Fails when one is not found, or when a patch
 * does not fit the sources any more.
 *
 * `--runs n` at most (default 3000), `--seed n`. A patch whose name begins with `database-` is for that isolation.
 */
import { cpSync, existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { run } from '../../../../scripts/support/run.ts'

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '3000' }, seed: { type: 'string', default: '1' } },
})
const root = fileURLToPath(new URL('../../../..', import.meta.url))
const patches = fileURLToPath(new URL('patches', import.meta.url))
const results: string[] = []

for (const file of readdirSync(patches).sort()) {
  const copy = copyOfSources()
  try {
    const problem = await findIn(copy, file)
    if (problem !== undefined) process.exitCode = 1
    results.push(`${file}: ${problem ?? 'found'}`)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}
console.log(results.join('\n'))

/** What the package needs to run from its sources. */
function copyOfSources(): string {
  const copy = mkdtempSync(join(realpathSync(tmpdir()), 'vivarium-fuzz-'))
  for (const part of ['package.json', 'tsconfig.base.json', 'packages/vivarium']) {
    const withoutBuilt = (path: string): boolean => !/\/(node_modules|dist|\.build-[^/]*)$/.test(path)
    cpSync(join(root, part), join(copy, part), { recursive: true, filter: withoutBuilt })
  }
  for (const modules of ['node_modules', 'packages/vivarium/node_modules']) {
    if (existsSync(join(root, modules))) symlinkSync(join(root, modules), join(copy, modules))
  }
  return copy
}

/** Undefined when the fuzz has found the bug. */
async function findIn(copy: string, file: string): Promise<string | undefined> {
  const applied = await run('git', ['apply', join(patches, file)], { cwd: copy, capture: true })
  if (applied.code !== 0) return `the patch no longer fits the sources:\n${applied.output}`
  const isolation = file.startsWith('database-') ? 'database' : 'transaction'
  const main = join(copy, 'packages/vivarium/test/fuzz/main.ts')
  const asked = ['--only', 'model', '--isolation', isolation, '--runs', values.runs, '--seed', values.seed]
  const fuzz = await run(process.execPath, ['--import', 'tsx', main, ...asked], { cwd: copy, capture: true })
  console.log(`— ${file} —\n${fuzz.output}`)
  if (fuzz.code === 0) return `not found in ${values.runs} scripts`
  return fuzz.output.includes('model: found by case') ? undefined : 'the fuzz itself failed'
}
