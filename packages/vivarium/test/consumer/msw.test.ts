import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { installPackage } from './support/installed-package.ts'
import { mswScript, mswScriptPrints } from './support/msw-script.ts'
import { runNode } from './support/run-process.ts'

const msw = fileURLToPath(new URL('../../../../node_modules/msw', import.meta.url))

test('handlers of MSW 2 are expected and stubbed as they are', { timeout: 60_000 }, async () => {
  await using installed = await installPackage()
  symlinkSync(msw, join(installed.folder, 'node_modules/msw'))
  const folder = installed.writeProject('project', { 'script.mjs': mswScript })
  const { stdout, stderr } = await runNode(['script.mjs'], { cwd: folder })
  expect(JSON.parse(stdout || 'null'), stderr).toMatchObject(mswScriptPrints as object)
})
