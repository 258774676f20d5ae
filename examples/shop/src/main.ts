import { openAdapters } from './adapters.ts'
import { readConfigOrExit } from './config/read-config-or-exit.ts'
import { createLogger } from './log/logger.ts'
import { reportTo } from './log/report-to.ts'
import { runShop } from './run-shop.ts'
import { stopOnSignals } from './stop-on-signals.ts'

const config = readConfigOrExit(process.env)
const logger = createLogger({ level: config.logLevel })
const adapters = openAdapters(config, reportTo(logger))
const running = await runShop({ config, adapters, logger })
stopOnSignals(() => running.stop(), logger)
