/**
 * `npm run shop:load`: the shop in a process of its own, customers who race for what is in stock, and then the books, checked in SQL.
 * Bounded in count and in time: `LOAD_ORDERS`, `LOAD_CUSTOMERS`, `LOAD_SECONDS`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'pg'
import type { PretendCharge } from '../dev/pretend-stripe.ts'
import { openStandIns } from '../dev/stand-ins.ts'
import { checkBooks } from './books.ts'
import { race } from './customers.ts'
import { printScreen } from './screen.ts'
import { startShop } from './start-shop.ts'
import { prepareShop } from './stock.ts'

const bounds = {
  orders: Number(process.env['LOAD_ORDERS'] ?? 2000),
  customers: Number(process.env['LOAD_CUSTOMERS'] ?? 24),
  seconds: Number(process.env['LOAD_SECONDS'] ?? 60),
}

/** An order whose customer has not waited goes on; it is in a transaction from its first statement to its last. */
async function untilNothingIsUnderWay(pool: Pool): Promise<void> {
  const busy = `select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'`
  let quiet = 0
  while (quiet < 5) {
    await sleep(50)
    quiet = (await pool.query(busy)).rowCount === 0 ? quiet + 1 : 0
  }
}

const standIns = await openStandIns({ database: true, mail: false })
const databaseUrl = standIns.config.databaseUrl!
const shop = await startShop({ DATABASE_URL: databaseUrl, LOG_LEVEL: 'error' })
const database = new Pool({ connectionString: databaseUrl })
try {
  const { products, customers } = await prepareShop(databaseUrl, { customers: bounds.customers })
  const outcome = await race({ ...bounds, url: shop.url, products, customers })
  await untilNothingIsUnderWay(database)
  const charges = (await (await fetch(`${shop.url}/dev/charges`)).json()) as PretendCharge[]
  const books = await checkBooks({ database, products, charges, outcome })
  printScreen({ bounds, products, outcome, books })
  process.exitCode = books.every(({ wrong }) => wrong.length === 0) && shop.failures().length === 0 ? 0 : 1
  for (const line of shop.failures().slice(0, 5)) console.log(`logged as an error: ${line}`)
} finally {
  await database.end()
  await shop.stop()
  await standIns.close()
}
