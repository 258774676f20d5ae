import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { configOf, fileNameOf, setUpOf } from './variants.ts'
import type { SuiteServer, SuiteVariant } from './variants.ts'

/** A generated suite in a temporary folder. */
export interface GeneratedSuite extends AsyncDisposable {
  readonly folder: string
  configFile(variant: SuiteVariant): string
}

const nodeModules = fileURLToPath(new URL('../../node_modules', import.meta.url))
const application = fileURLToPath(new URL('./application.mjs', import.meta.url))

/** Statements that each generated test sends. */
export const statementsPerTest = 14

/** Writes a suite of `files` × `tests` tests, with a Vitest configuration for each variant. */
export async function generateSuite(
  size: { files: number; tests: number },
  variants: readonly SuiteVariant[],
  server: SuiteServer,
): Promise<GeneratedSuite> {
  const folder = await mkdtemp(join(tmpdir(), 'vivarium-bench-suite-'))
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    await mkdir(folder, { recursive: true })
    await symlink(nodeModules, join(folder, 'node_modules'))
    await cp(application, join(folder, 'application.mjs'))
    await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
    for (let file = 1; file <= size.files; file++)
      await writeFile(join(folder, `orders-${file}.test.mjs`), testFile(file, size.tests))
    for (const variant of variants) {
      await writeFile(join(folder, configName(variant)), configOf(variant, server))
      const setUp = setUpOf(variant, server)
      if (setUp !== undefined) await writeFile(join(folder, `set-up-${fileNameOf(variant)}.mjs`), setUp)
    }
  } catch (error) {
    await remove()
    throw error
  }
  return { folder, configFile: configName, [Symbol.asyncDispose]: remove }
}

function configName(variant: SuiteVariant): string {
  return `vitest.${fileNameOf(variant)}.config.mjs`
}

/** One test file: the same workflow in each test, with names that no other test of the suite uses. */
function testFile(file: number, tests: number): string {
  const cases = Array.from(
    { length: tests },
    (_, index) =>
      `test('order ${index + 1} of file ${file} is paid', () => orderIsPaid('f${file}-t${index + 1}-' + run))`,
  )
  return `import { afterAll, test } from 'vitest'
import { closeApplication, orderIsPaid } from './application.mjs'

// Without isolation the rows of earlier runs are still there.
const run = process.pid + '-' + Date.now()
afterAll(closeApplication)

${cases.join('\n')}
`
}
