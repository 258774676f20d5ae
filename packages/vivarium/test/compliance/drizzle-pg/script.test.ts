import { drizzle } from 'drizzle-orm/node-postgres'
import pg from 'pg'
import type { Database, DrizzleApp } from '../drizzle/steps.ts'
import { drizzleSteps } from '../drizzle/steps.ts'
import { versionOf } from '../outcomes.ts'
import { describeCompliance } from '../run.ts'

describeCompliance<DrizzleApp>(
  {
    name: 'drizzle-pg',
    version: `drizzle-orm ${versionOf('drizzle-orm')} on pg ${versionOf('pg')}`,
    open: async (url, { connections = 5, pipeline = false }) => {
      if (pipeline) return onOneClient(url)
      const pool = new pg.Pool({ connectionString: url, max: connections })
      pool.on('error', () => undefined)
      return appOf(drizzle({ client: pool }), () => pool.end())
    },
    close: (app) => app.close(),
    steps: drizzleSteps,
  },
  ['memory'],
)

/** A pool takes a client for each statement; only one client of one's own can pipeline. */
async function onOneClient(url: string): Promise<DrizzleApp> {
  const client = new pg.Client({ connectionString: url, pipeline: true } as pg.ClientConfig)
  await client.connect()
  return appOf(drizzle({ client }), () => client.end())
}

function appOf(db: Database, close: () => Promise<void>): DrizzleApp {
  return { db, rowsOf: (result) => (result as pg.QueryResult).rows, close }
}
