import { type ColumnType, type Generated, type Insertable, Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import {
  type ComplianceClient,
  type OpenOptions,
  failureOf,
  fieldsOf,
  meeting,
  no,
  outcomesOf,
  rejectionOf,
} from '../client.ts'
import { versionOf } from '../outcomes.ts'
import { describeCompliance } from '../run.ts'
import { ChangedMyMind, crates, sample, seenByRole } from '../script.ts'

interface Market {
  products: { id: Generated<number>; sku: string; title: string; stock: Generated<number> }
  samples: {
    id: number
    at: Date
    doc: ColumnType<typeof sample.doc, string, string>
    body: Buffer
    amount: string
    tags: string[]
    big: ColumnType<string, bigint, bigint>
    token: string
  }
  doctors: { name: string; on_call: boolean }
  documents: { id: number; owner: string; body: string }
}

type Database = Kysely<Market>

function poolOf(url: string, { connections = 5, pipeline = false }: OpenOptions): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max: connections, pipeline } as pg.PoolConfig)
  // What the server ends is an event on the pool or on a client in use, and without a listener the end of the process.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => client.on('error', () => undefined))
  return pool
}

function databaseOf(pool: pg.Pool): Database {
  return new Kysely<Market>({ dialect: new PostgresDialect({ pool }) })
}

async function insert(db: Database, sku: string): Promise<number> {
  const row = await db.insertInto('products').values({ sku, title: sku }).returning('id').executeTakeFirstOrThrow()
  return row.id
}

async function count(db: Database): Promise<number> {
  const counted = db.selectFrom('products').select(({ fn }) => fn.countAll<string>().as('count'))
  return Number((await counted.executeTakeFirstOrThrow()).count)
}

const client: ComplianceClient<Database> = {
  name: 'kysely',
  version: `kysely ${versionOf('kysely')} on pg ${versionOf('pg')}`,
  open: (url, options) => databaseOf(poolOf(url, options)),
  close: (db) => db.destroy(),
  steps: {
    crud: async ({ app }) => {
      const created = await app
        .insertInto('products')
        .values({ sku: 'pears', title: 'Pears', stock: 3 })
        .returning('id')
        .executeTakeFirstOrThrow()
      const read = await app.selectFrom('products').selectAll().where('sku', '=', 'pears').executeTakeFirstOrThrow()
      const updated = await app
        .updateTable('products')
        .set(({ eb }) => ({ stock: eb('stock', '+', 5) }))
        .where('stock', '<', 3)
        .executeTakeFirst()
      const deleted = await app.deleteFrom('products').where('sku', '=', 'bread').executeTakeFirst()
      const listed = await app.selectFrom('products').select('sku').orderBy('sku').execute()
      return {
        created: created.id,
        read,
        updated: Number(updated.numUpdatedRows),
        deleted: Number(deleted.numDeletedRows),
        listed: listed.map(({ sku }) => sku),
      }
    },
    commit: async ({ app }) => {
      const inside = await app.transaction().execute(async (tx) => {
        await insert(tx, 'pears')
        return count(tx)
      })
      return { inside, outside: await count(app) }
    },
    rollback: async ({ app }) => {
      let inside = 0
      const work = app.transaction().execute(async (tx) => {
        await insert(tx, 'pears')
        inside = await count(tx)
        throw new ChangedMyMind()
      })
      const error = (await rejectionOf(work)) as Error
      return { inside, error: error.message, outside: await count(app) }
    },
    nested: async ({ app }) => {
      const tx = await app.startTransaction().execute()
      await insert(tx, 'pears')
      const inner = await tx.savepoint('inner').execute()
      await insert(inner, 'plums')
      const caught = await failureOf(insert(inner, 'pears'))
      await inner.rollbackToSavepoint('inner').execute()
      await insert(tx, 'figs')
      await tx.commit().execute()
      return { caught, after: await count(app) }
    },
    caughtOutside: async ({ app }) => {
      const caught = await app.connection().execute(async (one) => {
        const code = await failureOf(insert(one, 'apples'))
        await insert(one, 'pears')
        return code
      })
      return { caught, counted: await count(app) }
    },
    caughtInside: async ({ app }) => {
      const tx = await app.startTransaction().execute()
      await insert(tx, 'pears')
      const caught = await failureOf(insert(tx, 'apples'))
      const refused = await failureOf(count(tx))
      await tx.rollback().execute()
      await insert(app, 'figs')
      return { caught, refused, counted: await count(app) }
    },
    bulkInsert: async ({ app }) => {
      const result = await app.insertInto('products').values(crates).executeTakeFirst()
      return { inserted: Number(result.numInsertedOrUpdatedRows), counted: await count(app) }
    },
    cursor: no('Kysely streams through a package of its own, pg-cursor'),
    namedStatements: no('Kysely gives its statements no names'),
    pipelining: async ({ open }) => {
      const db = await open({ connections: 1, pipeline: true })
      const outcomes = await db.connection().execute((one) =>
        outcomesOf(
          ['pears', 'pears', 'figs'].map((sku) => insert(one, sku)),
          'inserted',
        ),
      )
      return { outcomes }
    },
    parallel: async ({ app }) => {
      const answered = await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          await insert(app, `parallel-${index + 1}`)
          const { rows } = await sql<{ number: number }>`select ${index + 1}::int as number, pg_sleep(0.001)`.execute(
            app,
          )
          return rows[0]!.number
        }),
      )
      return { answered, counted: await count(app) }
    },
    reconnect: async ({ url }) => {
      const pool = poolOf(url, {})
      const ended = new Promise<void>((resolve) => {
        pool.once('connect', (one) => one.once('end', () => resolve()))
      })
      const db = databaseOf(pool)
      const failed = await sql`select pg_terminate_backend(pg_backend_pid())`.execute(db).then(
        () => false,
        () => true,
      )
      // Until its end is noticed the pool gives out the dead connection again; on a plain server, too.
      await ended
      const next = await count(db)
      await db.destroy()
      return { failed, next }
    },
    types: async ({ app }) => {
      const row: Insertable<Market['samples']> = { id: 1, ...sample, doc: JSON.stringify(sample.doc) }
      await app.insertInto('samples').values(row).execute()
      const { at, doc, body, amount, tags, big, token } = await app
        .selectFrom('samples')
        .selectAll()
        .executeTakeFirstOrThrow()
      return { at: at.toISOString(), doc, body: body.toString('hex'), amount, tags, big, token }
    },
    notifications: no('Kysely has no LISTEN; its driver has'),
    copy: no('Kysely has no COPY'),
    twoTransactions: async ({ app }) => {
      const ids = await Promise.all(['pears', 'figs'].map((sku) => app.transaction().execute((tx) => insert(tx, sku))))
      return { committed: ids.length, counted: await count(app) }
    },
    nestedConnection: async ({ app }) => {
      const answered = await app.transaction().execute(async (tx) => {
        await insert(tx, 'pears')
        const row = await app
          .selectFrom('products')
          .select('title')
          .where('sku', '=', 'bread')
          .executeTakeFirstOrThrow()
        return row.title
      })
      return { answered, counted: await count(app) }
    },
    serializable: async ({ app }) => {
      const level = await app
        .transaction()
        .setIsolationLevel('serializable')
        .execute(async (tx) => {
          await insert(tx, 'pears')
          const { rows } = await sql<{ transaction_isolation: string }>`show transaction_isolation`.execute(tx)
          return rows[0]!.transaction_isolation
        })
      return { level, counted: await count(app) }
    },
    writeSkew: async ({ app }) => {
      const both = meeting(2)
      const onCall = (db: Database): Promise<unknown[]> =>
        db.selectFrom('doctors').selectAll().where('on_call', '=', true).execute()
      const goOffCall = (name: string): Promise<void> =>
        app
          .transaction()
          .setIsolationLevel('serializable')
          .execute(async (tx) => {
            await onCall(tx)
            await both()
            await tx.updateTable('doctors').set({ on_call: false }).where('name', '=', name).execute()
          })
      const outcomes = await outcomesOf([goOffCall('alice'), goOffCall('bob')], 'committed')
      return { outcomes: outcomes.toSorted(), onCall: (await onCall(app)).length }
    },
    statementTimeout: ({ app }) =>
      app.connection().execute(async (one) => {
        const work = one.transaction().execute(async (tx) => {
          await sql`set local statement_timeout = '50ms'`.execute(tx)
          await sql`select pg_sleep(10)`.execute(tx)
        })
        const caught = await failureOf(work)
        const { rows } = await sql<{ statement_timeout: string }>`show statement_timeout`.execute(one)
        return { caught, afterwards: rows[0]!.statement_timeout, counted: await count(one) }
      }),
    cancel: no('Kysely has no way to cancel a statement'),
    errorFields: async ({ app }) => {
      const violation = await rejectionOf(insert(app, 'apples'))
      return fieldsOf(violation, await rejectionOf(sql`select nope from products`.execute(app)))
    },
    acrossSandboxes: async ({ app, nextSandbox }) => {
      const look = async (): Promise<string[]> => {
        const found = app.selectFrom('products').select('title').where('sku', '=', 'apples')
        return [(await found.executeTakeFirstOrThrow()).title, `id ${await insert(app, 'pears')}`]
      }
      const before = await look()
      await nextSandbox()
      return { before, after: await look(), counted: await count(app) }
    },
    roles: ({ app, role }) =>
      app.connection().execute(async (one) => {
        const all = (db: Database): Promise<{ body: string; user: string }[]> =>
          db
            .selectFrom('documents')
            .select(['body', sql<string>`current_user::text`.as('user')])
            .execute()
        const before = await all(one)
        const inside = await one.transaction().execute(async (tx) => {
          await sql`set local role ${sql.id(role)}`.execute(tx)
          return all(tx)
        })
        const after = await all(one)
        return seenByRole(role, { before, inside, after })
      }),
  },
}

describeCompliance(client, ['memory'])
