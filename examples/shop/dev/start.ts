/**
 * `npm run shop`: the shop on this machine, with a stand-in for whatever the environment does not name. A stand-in for a server is a
 * real one that lives as long as this process: PostgreSQL and a mail server, both by Vivarium.
 */
import { openAdapters } from '../src/adapters.ts'
import { readConfigOrExit } from '../src/config/read-config-or-exit.ts'
import { createLogger } from '../src/log/logger.ts'
import { reportTo } from '../src/log/report-to.ts'
import { runShop } from '../src/run-shop.ts'
import { stopOnSignals } from '../src/stop-on-signals.ts'
import { addDevelopmentPages } from './pages.ts'
import { createPretendStripe } from './pretend-stripe.ts'
import { ada, seed } from './seed.ts'
import { openStandIns } from './stand-ins.ts'

/** What is needed and not given; of the first three nothing but that they are set is used. */
const defaults = {
  DATABASE_URL: 'postgres://stand-in/shop',
  SMTP_URL: 'smtp://stand-in',
  STRIPE_KEY: 'sk_test_stand_in',
  STAFF_TOKEN: 'staff-of-the-shop-in-development',
}

const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''))
const checked = readConfigOrExit({ ...defaults, ...given })
const logger = createLogger({ level: checked.logLevel })
const standIns = await openStandIns({ database: !given['DATABASE_URL'], mail: !given['SMTP_URL'] })

try {
  const config = { ...checked, ...standIns.config }
  // A real database has its own data.
  if (!given['DATABASE_URL']) await seed(config.databaseUrl)
  const real = openAdapters(config, reportTo(logger))
  const pretend = given['STRIPE_KEY'] ? undefined : createPretendStripe()
  const running = await runShop({
    config,
    adapters: { ...real, payments: pretend ?? real.payments },
    logger,
    addPages: (app) => addDevelopmentPages(app, { mails: standIns.mails, charges: pretend?.charges }),
  })
  stopOnSignals(async () => {
    await running.stop()
    await standIns.close()
  }, logger)
  printWelcome(running.url)
} catch (error) {
  await standIns.close()
  throw error
}

function printWelcome(url: string): void {
  const or = (variable: string, standIn: string): string => (given[variable] ? `as ${variable} says` : standIn)
  process.stdout.write(`
The shop: ${url}
  API         ${url}/openapi.json
  mails       ${or('SMTP_URL', `${url}/dev/mails`)}
  database    ${or('DATABASE_URL', 'an embedded PostgreSQL, gone when the shop stops')}
  cache       ${or('REDIS_URL', 'in this process, notifications too')}
  payments    ${or('STRIPE_KEY', `none are made: ${url}/dev/charges has what would have been charged`)}
${given['DATABASE_URL'] ? '' : `  a user      ${ada.email}, password "${ada.password}"\n`}Ctrl-C stops it.

`)
}
