/**
 * `npm run check`: every check, the cheap ones first, all of them even when one fails. Each runs alone too: `npm run <name>`.
 */
import { run } from './support/run.ts'

const checks = [
  'format:check',
  'build',
  // Behind the build: the linter looks at the types that the shop gets from the package.
  'lint',
  'types',
  'check:exports',
  'check:package',
  'check:snippets',
  'check:links',
  'check:shop-tests',
  'check:errors',
  'check:conformance',
  'check:compliance',
  'check:bench',
  'unused',
]

const failed: string[] = []
for (const check of checks) {
  const started = performance.now()
  const { code, output } = await run('npm', ['run', '--silent', check], { capture: true })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'}  ${check.padEnd(18)} ${seconds} s`)
  if (code === 0) continue
  failed.push(check)
  console.log(output.trimEnd().replaceAll(/^/gm, '        '))
}

if (failed.length > 0) console.log(`\nFailed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
