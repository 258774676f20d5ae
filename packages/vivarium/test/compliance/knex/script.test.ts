import knex, { type Knex } from 'knex'
import type pg from 'pg'
import { vi } from 'vitest'
import {
  type ComplianceClient,
  failureOf,
  fieldsOf,
  meeting,
  no,
  notInTransaction,
  type OpenOptions,
  outcomesOf,
  rejectionOf,
} from '../client.ts'
import { versionOf } from '../outcomes.ts'
import { describeCompliance } from '../run.ts'
import { ChangedMyMind, crates, sample, seenByRole } from '../script.ts'

interface Product {
  readonly id: number
  readonly sku: string
  readonly title: string
  readonly stock: number
}

async function insert(db: Knex, sku: string): Promise<number> {
  const [row] = await db<Product>('products').insert({ sku, title: sku }).returning('id')
  return row!.id
}

async function count(db: Knex): Promise<number> {
  const row = await db('products').count({ count: '*' }).first()
  return Number(row?.['count'])
}

function databaseOf(url: string, { connections = 5, pipeline = false }: OpenOptions, onEnd?: () => void): Knex {
  const connection = { connectionString: url, pipeline } as Knex.PgConnectionConfig
  const afterCreate = (one: pg.Client, done: (error: null, one: pg.Client) => void): void => {
    if (onEnd !== undefined) one.once('end', onEnd)
    done(null, one)
  }
  return knex({ client: 'pg', connection, pool: { min: 0, max: connections, afterCreate }, log: silent })
}

const silent = { warn: () => undefined, error: () => undefined, debug: () => undefined }

const client: ComplianceClient<Knex> = {
  name: 'knex',
  version: `knex ${versionOf('knex')} on pg ${versionOf('pg')}`,
  open: (url, options) => databaseOf(url, options),
  close: (db) => db.destroy(),
  steps: {
    crud: async ({ app }) => {
      const [created] = await app<Product>('products')
        .insert({ sku: 'pears', title: 'Pears', stock: 3 })
        .returning('id')
      const read = await app<Product>('products').where({ sku: 'pears' }).first()
      const updated = await app('products').where('stock', '<', 3).increment('stock', 5)
      const deleted = await app('products').where({ sku: 'bread' }).delete()
      const listed = await app<Product>('products').orderBy('sku').pluck('sku')
      return { created: created!.id, read: read!, updated, deleted, listed }
    },
    commit: async ({ app }) => {
      const inside = await app.transaction(async (tx) => {
        await insert(tx, 'pears')
        return count(tx)
      })
      return { inside, outside: await count(app) }
    },
    rollback: async ({ app }) => {
      let inside = 0
      const work = app.transaction(async (tx) => {
        await insert(tx, 'pears')
        inside = await count(tx)
        throw new ChangedMyMind()
      })
      const error = (await rejectionOf(work)) as Error
      return { inside, error: error.message, outside: await count(app) }
    },
    nested: async ({ app }) => {
      const caught = await app.transaction(async (tx) => {
        await insert(tx, 'pears')
        const code = await failureOf(
          tx.transaction(async (inner) => {
            await insert(inner, 'plums')
            await insert(inner, 'pears')
          }),
        )
        await insert(tx, 'figs')
        return code
      })
      return { caught, after: await count(app) }
    },
    caughtOutside: async ({ app, open }) => {
      const one = await open({ connections: 1 })
      const caught = await failureOf(insert(one, 'apples'))
      await insert(one, 'pears')
      return { caught, counted: await count(app) }
    },
    caughtInside: async ({ app }) => {
      const tx = await app.transaction()
      await insert(tx, 'pears')
      const caught = await failureOf(insert(tx, 'apples'))
      const refused = await failureOf(count(tx))
      await tx.rollback()
      await insert(app, 'figs')
      return { caught, refused, counted: await count(app) }
    },
    bulkInsert: async ({ app }) => {
      const rows = await app<Product>('products').insert(crates).returning('id')
      return { inserted: rows.length, counted: await count(app) }
    },
    cursor: no('Knex streams through a package of its own, pg-query-stream'),
    namedStatements: no('Knex gives its statements no names'),
    pipelining: async ({ open }) => {
      const db = await open({ connections: 1, pipeline: true })
      const one = (await db.client.acquireConnection()) as unknown
      const add = (sku: string): PromiseLike<unknown> =>
        db('products')
          .insert({ sku, title: sku })
          .connection(one as Knex.PgConnectionConfig)
      const outcomes = await outcomesOf(['pears', 'pears', 'figs'].map(add), 'inserted')
      await db.client.releaseConnection(one)
      return { outcomes }
    },
    parallel: async ({ app }) => {
      const answered = await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          await insert(app, `parallel-${index + 1}`)
          const { rows } = await app.raw<{ rows: { number: number }[] }>('select ?::int as number, pg_sleep(0.001)', [
            index + 1,
          ])
          return rows[0]!.number
        }),
      )
      return { answered, counted: await count(app) }
    },
    reconnect: async ({ url }) => {
      let noticed = (): void => undefined
      const ended = new Promise<void>((resolve) => {
        noticed = resolve
      })
      const db = databaseOf(url, {}, () => noticed())
      const failed = await db.raw('select pg_terminate_backend(pg_backend_pid())').then(
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
      await app('samples').insert({ id: 1, ...sample })
      const { at, doc, body, amount, tags, big, token } = await app('samples').first()
      return {
        at: (at as Date).toISOString(),
        doc,
        body: (body as Buffer).toString('hex'),
        amount,
        tags,
        big,
        token,
      }
    },
    notifications: no('Knex has no LISTEN; its driver has'),
    copy: no('Knex has no COPY'),
    twoTransactions: async ({ app }) => {
      const ids = await Promise.all(['pears', 'figs'].map((sku) => app.transaction((tx) => insert(tx, sku))))
      return { committed: ids.length, counted: await count(app) }
    },
    nestedConnection: async ({ app }) => {
      const answered = await app.transaction(async (tx) => {
        await insert(tx, 'pears')
        const row = await app<Product>('products').where({ sku: 'bread' }).first()
        return row!.title
      })
      return { answered, counted: await count(app) }
    },
    serializable: async ({ app }) => {
      const level = await app.transaction(
        async (tx) => {
          await insert(tx, 'pears')
          const { rows } = await tx.raw<{ rows: { transaction_isolation: string }[] }>('show transaction_isolation')
          return rows[0]!.transaction_isolation
        },
        { isolationLevel: 'serializable' },
      )
      return { level, counted: await count(app) }
    },
    writeSkew: async ({ app }) => {
      const both = meeting(2)
      const goOffCall = (name: string): Promise<void> =>
        app.transaction(
          async (tx) => {
            await tx('doctors').where({ on_call: true })
            await both()
            await tx('doctors').where({ name }).update({ on_call: false })
          },
          { isolationLevel: 'serializable' },
        )
      const outcomes = await outcomesOf([goOffCall('alice'), goOffCall('bob')], 'committed')
      return { outcomes: outcomes.toSorted(), onCall: (await app('doctors').where({ on_call: true })).length }
    },
    statementTimeout: async ({ open }) => {
      const one = await open({ connections: 1 })
      const work = one.transaction(async (tx) => {
        await tx.raw(`set local statement_timeout = '50ms'`)
        await tx.raw('select pg_sleep(10)')
      })
      const caught = await failureOf(work)
      const { rows } = await one.raw<{ rows: { statement_timeout: string }[] }>('show statement_timeout')
      return { caught, afterwards: rows[0]!.statement_timeout, counted: await count(one) }
    },
    cancel: notInTransaction(
      'Knex cancels with pg_cancel_backend() on another connection, and there that waits for the very statement it is to end',
      async ({ app, sandbox }) => {
        // With a connection at hand the statement is under way long before its time is over.
        await count(app)
        await rejectionOf(app.raw('select pg_sleep(20)').timeout(500, { cancel: true }))
        // The client's error says nothing of whether the server has ended the statement: what the server said counts.
        const caught = await vi.waitFor(() => {
          const slow = sandbox.queries.find(({ text }) => text === 'select pg_sleep(20)')
          if (slow?.error === undefined) throw new Error('the statement still runs')
          return slow.error.code
        }, 5_000)
        return { caught, counted: await count(app) }
      },
    ),
    errorFields: async ({ app }) => {
      const violation = await rejectionOf(insert(app, 'apples'))
      return fieldsOf(violation, await rejectionOf(app.raw('select nope from products')))
    },
    acrossSandboxes: async ({ app, nextSandbox }) => {
      const look = async (): Promise<string[]> => {
        const row = await app<Product>('products').where({ sku: 'apples' }).first()
        return [row!.title, `id ${await insert(app, 'pears')}`]
      }
      const before = await look()
      await nextSandbox()
      return { before, after: await look(), counted: await count(app) }
    },
    roles: async ({ open, role }) => {
      const one = await open({ connections: 1 })
      const all = (db: Knex): PromiseLike<{ body: string; user: string }[]> =>
        db('documents').select('body', db.raw('current_user::text as "user"'))
      const before = await all(one)
      const inside = await one.transaction(async (tx) => {
        await tx.raw('set local role ??', [role])
        return all(tx)
      })
      const after = await all(one)
      return seenByRole(role, { before, inside, after })
    },
  },
}

describeCompliance(client, ['memory'])
