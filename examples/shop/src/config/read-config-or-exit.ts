import { ConfigError, readConfig } from './config.ts'
import type { Config } from './config.ts'

/** What `sysexits.h` calls EX_CONFIG. */
const exitCode = 78

/** The environment, checked; where something is wrong with it, the process says what and ends. */
export function readConfigOrExit(env: Readonly<Record<string, string | undefined>>): Config {
  try {
    return readConfig(env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(error.message)
    process.exit(exitCode)
  }
}
