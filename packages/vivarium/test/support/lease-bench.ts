import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect } from 'vitest'
import { openPostgresClient } from '../../src/postgres/connection/client.ts'
import type { QueryRow } from '../../src/postgres/connection/client.ts'
import { clonePrefix } from '../../src/postgres/leases/clone-name.ts'
import { openRun } from '../../src/postgres/leases/open-run.ts'
import type { OpenRunOptions, Run } from '../../src/postgres/leases/open-run.ts'
import type { PostgresServer } from '../../src/postgres/server/postgres-server.ts'
import { buildTemplate } from '../../src/postgres/template/build-template.ts'
import type { Template } from '../../src/postgres/template/build-template.ts'
import { dropTemplate, listDatabases, runOn } from './template-servers.ts'

/** A server with a template, for the tests of a `describe`. */
export interface LeaseBench {
  readonly server: PostgresServer
  /** Runs `body` with a run; afterwards none of its databases is left. */
  withRun(body: (run: Run) => Promise<void>, options?: OpenRunOptions): Promise<void>
  clonesOf(run: Run): Promise<string[]>
  /** Runs statements in a database as the maintenance role, on a connection that is gone from the server afterwards. */
  on(database: string, statements: string): Promise<QueryRow[]>
}

/** To be called in a `describe`. */
export function useLeaseBench(open: () => Promise<PostgresServer>, schema: string): LeaseBench {
  let server: PostgresServer
  let template: Template | undefined
  beforeAll(async () => {
    server = await open()
    const run = async (database: string): Promise<void> => {
      await using client = await openPostgresClient(database)
      await client.query(schema)
    }
    const hash = randomBytes(16).toString('hex')
    template = await buildTemplate(server, { run, inputs: [] }, { hash, env: 'DATABASE_URL' })
  })
  afterAll(async () => {
    if (template !== undefined) await dropTemplate(server, template.database)
    await server.close()
  })
  const clonesOf = (run: Run): Promise<string[]> => listDatabases(server, clonePrefix(run.identity))
  return {
    get server() {
      return server
    },
    withRun: async (body, options) => {
      const run = await openRun(server, template!, options)
      try {
        await body(run)
      } finally {
        await run.close()
      }
      expect(await clonesOf(run)).toEqual([])
    },
    clonesOf,
    on: (database, statements) => runOn(server, statements, database),
  }
}
