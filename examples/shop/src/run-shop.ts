import { setTimeout as sleep } from 'node:timers/promises'
import type { Hono } from 'hono'
import type { Adapters } from './adapters.ts'
import type { Config } from './config/config.ts'
import { createApp } from './http/app.ts'
import { startServer } from './http/server.ts'
import type { Logger } from './log/logger.ts'
import { reportTo } from './log/report-to.ts'
import { migrate } from './migrate.ts'
import { settleRegularly } from './payments/settle-regularly.ts'
import { openShop } from './shop.ts'

export interface RunShopOptions {
  readonly config: Config
  /** Owned by the shop that runs: closed when it stops. */
  readonly adapters: Adapters
  readonly logger: Logger
  /** More pages, beside the shop's. @default none */
  readonly addPages?: (app: Hono) => void
}

export interface RunningShop {
  /** Where it listens. */
  readonly url: string
  /**
   * Ends the event streams, takes no more requests, answers those under way, and closes everything. What is not answered within
   * `STOP_MS` is cut off. A second call waits for the first.
   */
  stop(): Promise<void>
}

const heartbeatMs = 15_000
const closeMs = 2000

/** Brings the database up to date, and serves the shop. */
export async function runShop({ config, adapters, logger, addPages }: RunShopOptions): Promise<RunningShop> {
  const migrations = config.migrates ? await migrate(config.databaseUrl) : []
  if (migrations.length > 0) logger.info('migrated', { migrations })

  const shop = openShop({
    ...adapters,
    databaseUrl: config.databaseUrl,
    // Mails are sent for requests, and those come when the server is there.
    verificationLink: (token) => `${config.publicUrl ?? server.url}/verify-email?token=${token}`,
    report: reportTo(logger),
  })
  const settling = settleRegularly({ payments: shop.payments, report: reportTo(logger) })
  const stopping = new AbortController()
  const app = createApp({
    shop,
    logger,
    healthChecks: [{ name: 'database', check: () => shop.ping() }, ...adapters.healthChecks],
    secure: config.publicUrl?.startsWith('https:') ?? false,
    staffToken: config.staffToken,
    stopping: stopping.signal,
    heartbeatMs,
  })
  addPages?.(app)
  const server = await startServer({ fetch: (request) => app.fetch(request), host: config.host, port: config.port })
  logger.info('listening', { url: server.url })

  async function stop(): Promise<void> {
    logger.info('stopping')
    stopping.abort()
    const { cutOff } = await server.stop(config.stopMs)
    if (cutOff > 0) logger.warn('requests cut off', { requests: cutOff })
    // A request that was cut off may keep its connection for as long as the database takes.
    const closed = Promise.all([settling.stop(), shop.close(), adapters.close()]).then(() => 'stopped')
    logger.info(await Promise.race([closed, sleep(closeMs, 'stopped with work under way', { ref: false })]))
  }
  let stopped: Promise<void> | undefined
  return { url: server.url, stop: () => (stopped ??= stop()) }
}
