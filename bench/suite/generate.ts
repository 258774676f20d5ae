import { cp, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openTemporaryFolder } from '../temporary-folder.ts'
import type { SuiteKind } from './kinds.ts'
import { configOf, fileNameOf, setUpOf } from './variants.ts'
import type { SuiteServer, SuiteVariant } from './variants.ts'

/** A generated suite in a temporary folder. */
export interface GeneratedSuite extends AsyncDisposable {
  readonly folder: string
  /** How many tests have to pass. */
  readonly tests: number
  configFile(variant: SuiteVariant): string
}

/** What is generated. */
export interface GenerateSuiteOptions {
  kind: SuiteKind
  files: number
  testsPerFile: number
  variants: readonly SuiteVariant[]
  server: SuiteServer
}

const nodeModules = fileURLToPath(new URL('../../node_modules', import.meta.url))

/** Writes a suite, with a Vitest configuration for each variant; the tests are the same files in each. */
export async function generateSuite(options: GenerateSuiteOptions): Promise<GeneratedSuite> {
  const { kind, files, testsPerFile, variants, server } = options
  const temporary = await openTemporaryFolder('suite')
  const folder = temporary.path
  try {
    await symlink(nodeModules, join(folder, 'node_modules'))
    await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
    for (const source of kind.sources) {
      await cp(fileURLToPath(new URL(`./${source}`, import.meta.url)), join(folder, source))
    }
    for (let file = 1; file <= files; file++) {
      await writeFile(join(folder, `file-${file}.test.mjs`), kind.testFile(file, testsPerFile))
    }
    for (const variant of variants) {
      await writeFile(join(folder, configName(variant)), configOf(variant, server, kind.firstSetUp))
      const setUp = setUpOf(variant, server)
      if (setUp !== undefined) await writeFile(join(folder, `set-up-${fileNameOf(variant)}.mjs`), setUp)
    }
  } catch (error) {
    await temporary[Symbol.asyncDispose]()
    throw error
  }
  return {
    folder,
    tests: files * testsPerFile,
    configFile: configName,
    [Symbol.asyncDispose]: () => temporary[Symbol.asyncDispose](),
  }
}

function configName(variant: SuiteVariant): string {
  return `vitest.${fileNameOf(variant)}.config.mjs`
}
