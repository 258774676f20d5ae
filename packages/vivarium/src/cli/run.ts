import { parseArgs } from 'node:util'
import { VivariumError } from '../core/errors.ts'
import { nearestName } from '../core/nearest-name.ts'
import { exitCodes } from './surroundings.ts'
import type { Surroundings } from './surroundings.ts'
import { types } from './types.ts'

const help = `Usage: vivarium <command> [options]

  vivarium types            write the tables that the migrations make as a TypeScript module

    --out <file>            where to; from here               [vivarium.tables.ts beside the configuration]
    --check                 write nothing; exit with 1 where the file says something else
    --naming <naming>       columns as the 'database' names them, or in 'camel' case           [database]
    --config <file>         the configuration                    [vivarium.config.ts, .mts, .js or .mjs]

  vivarium --help           this text`

const commands = ['types']

/** Runs a command line. Resolves to the exit code. */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { print, complain } = surroundings
  const [command, ...rest] = args
  if (command === undefined || command === '--help' || command === '-h' || rest.includes('--help')) {
    print(help)
    return command === undefined ? exitCodes.refused : exitCodes.ok
  }
  if (command !== 'types') {
    const nearest = nearestName(command, commands)
    const hint = nearest === undefined ? '' : ` Did you mean '${nearest}'?`
    complain(`vivarium: there is no command '${command}'.${hint}\n\n${help}`)
    return exitCodes.refused
  }
  try {
    const { values } = parseArgs({
      args: rest,
      options: {
        out: { type: 'string' },
        check: { type: 'boolean', default: false },
        naming: { type: 'string', default: 'database' },
        config: { type: 'string' },
      },
    })
    return await types(values, surroundings)
  } catch (error) {
    complain(`vivarium types: ${messageOf(error)}`)
    return exitCodes.refused
  }
}

function messageOf(error: unknown): string {
  if (error instanceof VivariumError) return error.message
  // A flag that is not known, and the like: the stack says nothing to whoever called.
  return error instanceof TypeError && 'code' in error
    ? `${error.message}\n\n${help}`
    : String((error as Error).stack ?? error)
}
