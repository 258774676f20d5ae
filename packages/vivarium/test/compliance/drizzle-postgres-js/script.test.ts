import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import type { DrizzleApp } from '../drizzle/steps.ts'
import { drizzleSteps } from '../drizzle/steps.ts'
import { versionOf } from '../outcomes.ts'
import { describeCompliance } from '../run.ts'

describeCompliance<DrizzleApp>(
  {
    name: 'drizzle-postgres-js',
    version: `drizzle-orm ${versionOf('drizzle-orm')} on postgres ${versionOf('postgres')}`,
    open: (url, { connections = 5 }) => {
      const client = postgres(url, { max: connections, onnotice: () => undefined })
      return {
        db: drizzle({ client }),
        rowsOf: (result) => [...(result as postgres.RowList<postgres.Row[]>)],
        // A connection that the server has ended is waited for until the time-out; on a plain server, too.
        close: () => client.end({ timeout: 0.2 }),
      }
    },
    close: (app) => app.close(),
    steps: drizzleSteps,
  },
  ['memory'],
)
