import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { invalidOption } from '../core/options.ts'
import { SandboxFactory } from '../factory/engine/sandbox-factory.ts'
import type { SandboxOwner } from '../core/owner.ts'
import { compareTablesModules, renderTablesDifferences } from '../factory/tables-module/compare-modules.ts'
import { writeTablesModule } from '../factory/tables-module/write-tables-module.ts'
import { openResolved } from '../vivarium/open-vivarium.ts'
import type { ResolvedOptions } from '../vivarium/config.ts'
import type { Catalogue } from '../factory/catalogue/catalogue.ts'
import { loadConfig } from './load-config.ts'
import { exitCodes } from './surroundings.ts'
import type { Surroundings } from './surroundings.ts'

/** Options of `vivarium types`, as they were written. */
export interface TypesArguments {
  readonly out?: string | undefined
  readonly check: boolean
  readonly naming: string
  readonly config?: string | undefined
}

/** Writes the tables that the migrations make as a TypeScript module, or compares. Resolves to the exit code. */
export async function types(args: TypesArguments, { folder, print, complain }: Surroundings): Promise<number> {
  const { naming } = args
  if (naming !== 'database' && naming !== 'camel') {
    throw invalidOption('--naming', naming, "'database' or 'camel'", 'vivarium types')
  }
  const config = await loadConfig(folder, args.config)
  const file = args.out === undefined ? join(config.folder, 'vivarium.tables.ts') : resolve(folder, args.out)
  const wanted = writeTablesModule(await readCatalogue(config.options), { naming })
  const shown = relative(folder, file)
  const actual = existsSync(file) ? readFileSync(file, 'utf8') : undefined
  const differences = actual === undefined ? undefined : compareTablesModules(actual, wanted)
  if (args.check) {
    if (differences?.length === 0) {
      print(`${shown} is as the migrations make it.`)
      return exitCodes.ok
    }
    const what =
      differences === undefined
        ? `${shown} is not there.`
        : `${shown} is not as the migrations make it (- the file, + the database):\n${renderTablesDifferences(differences)}`
    complain(`${what}\nRun: ${commandOf(args)}`)
    return exitCodes.differs
  }
  if (differences?.length === 0) {
    print(`${shown} is as the migrations make it: nothing written.`)
    return exitCodes.ok
  }
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, wanted)
  print(`${shown} written.`)
  return exitCodes.ok
}

/** The command that writes what was compared. */
function commandOf({ out, naming, config }: TypesArguments): string {
  const given = [
    ...(out === undefined ? [] : [`--out ${out}`]),
    ...(naming === 'database' ? [] : [`--naming ${naming}`]),
    ...(config === undefined ? [] : [`--config ${config}`]),
  ]
  return ['npx vivarium types', ...given].join(' ')
}

/** What the migrations make of a database. Nothing of it is left behind. */
async function readCatalogue(options: ResolvedOptions): Promise<Catalogue> {
  await using vivarium = await openResolved({ ...options, redis: undefined, mail: undefined, http: undefined })
  await using sandbox = await vivarium.openSandbox({ title: 'vivarium types' })
  return await SandboxFactory.of(sandbox as unknown as SandboxOwner).catalogue()
}
