import { drizzle } from 'drizzle-orm/node-postgres'
import { Pool } from 'pg'
import { createAccounts } from './accounts/accounts.ts'
import type { Accounts } from './accounts/accounts.ts'
import type { Cache } from './cache/cache.ts'
import { createCatalog } from './catalog/catalog.ts'
import type { Catalog } from './catalog/catalog.ts'
import { createInventory } from './inventory/inventory.ts'
import type { Inventory } from './inventory/inventory.ts'
import { createNotifications } from './notifications/notifications.ts'
import type { Notifications } from './notifications/notifications.ts'
import { createOnboarding } from './onboarding/onboarding.ts'
import type { Onboarding } from './onboarding/onboarding.ts'
import { createOrders } from './orders/orders.ts'
import type { Orders } from './orders/orders.ts'
import type { Mailer } from './mail/mailer.ts'
import type { PaymentGateway } from './payments/payment-gateway.ts'
import { createPayments } from './payments/payments.ts'
import type { Payments } from './payments/payments.ts'
import { createProfiles } from './profiles/profiles.ts'
import type { Profiles } from './profiles/profiles.ts'
import type { PubSub } from './pub-sub/pub-sub.ts'
import { reportToConsole } from './report.ts'
import type { Report } from './report.ts'
import { createSessions } from './sessions/sessions.ts'
import type { Sessions } from './sessions/sessions.ts'

export interface OpenShopOptions {
  readonly databaseUrl: string
  readonly payments: PaymentGateway
  readonly mailer: Mailer
  readonly cache: Cache
  readonly pubSub: PubSub
  /** The address of the page where the token is used that a new user is mailed. */
  readonly verificationLink: (token: string) => string
  /** @default the console */
  readonly report?: Report
}

export interface Shop {
  readonly accounts: Accounts
  readonly catalog: Catalog
  readonly inventory: Inventory
  readonly orders: Orders
  readonly payments: Payments
  readonly profiles: Profiles
  readonly notifications: Notifications
  readonly onboarding: Onboarding
  readonly sessions: Sessions
  /** Rejects when the database cannot be reached. */
  ping(): Promise<void>
  /** Ends the connections, once what runs on them has finished. */
  close(): Promise<void>
}

/** The whole shop over one connection pool. What it is given is not closed with it. */
export function openShop(options: OpenShopOptions): Shop {
  const { databaseUrl, payments: gateway, mailer, cache, pubSub, verificationLink, report = reportToConsole } = options
  const pool = openPool(databaseUrl)
  const database = drizzle(pool)
  const accounts = createAccounts(database, mailer)
  const notifications = createNotifications({ pubSub, report })
  return {
    accounts,
    catalog: createCatalog(database),
    inventory: createInventory(database),
    orders: createOrders({ database, gateway, notifications, report }),
    payments: createPayments({ database, gateway, report }),
    profiles: createProfiles({ database, cache, report }),
    notifications,
    onboarding: createOnboarding({ database, mailer, gateway, verificationLink }),
    sessions: createSessions(database, accounts),
    ping: async () => void (await pool.query('select 1')),
    close: () => pool.end(),
  }
}

/** A pool that outlives its connections. */
function openPool(databaseUrl: string): Pool {
  const pool = new Pool({ connectionString: databaseUrl })
  // A lost connection is an 'error' event, on the pool while it is idle and on the client while it is in use, and without
  // a listener it would end the process. Whoever was using it gets the error from the query; the pool opens another.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}
