import { openAdapters } from './adapters.ts'
import { ConfigError, readConfig } from './config/config.ts'
import type { Config } from './config/config.ts'
import { createLogger } from './log/logger.ts'
import { reportTo } from './log/report-to.ts'
import { runShop } from './run-shop.ts'
import { stopOnSignals } from './stop-on-signals.ts'

/** The environment, checked; where something is wrong with it the process ends. */
function configOrExit(): Config {
  try {
    return readConfig(process.env)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    console.error(error.message)
    process.exit(78)
  }
}

const config = configOrExit()
const logger = createLogger({ level: config.logLevel })
const running = await runShop({ config, adapters: openAdapters(config, reportTo(logger)), logger })
stopOnSignals(() => running.stop(), logger)
