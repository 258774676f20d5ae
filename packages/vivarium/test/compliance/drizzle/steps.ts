import { asc, count as countOf, eq, lt, sql } from 'drizzle-orm'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import { type ComplianceClient, failureOf, fieldsOf, meeting, no, outcomesOf, rejectionOf } from '../client.ts'
import { ChangedMyMind, crates, sample, seenByRole } from '../script.ts'
import { doctors, products, samples } from './market.ts'

/** A Drizzle database, whatever its driver. */
export type Database = PgDatabase<PgQueryResultHKT>

/** Drizzle on one of its drivers. */
export interface DrizzleApp {
  readonly db: Database
  /** Rows of `db.execute()`, whose shape is the driver's. */
  rowsOf(result: unknown): unknown[]
  close(): Promise<void>
}

async function insert(db: Database, sku: string): Promise<number> {
  const [row] = await db.insert(products).values({ sku, title: sku }).returning({ id: products.id })
  return row?.id ?? 0
}

async function count(db: Database): Promise<number> {
  const [row] = await db.select({ count: countOf() }).from(products)
  return row?.count ?? 0
}

/** The script in Drizzle's words: the same on every driver. */
export const drizzleSteps: ComplianceClient<DrizzleApp>['steps'] = {
  crud: async ({ app: { db } }) => {
    const [created] = await db
      .insert(products)
      .values({ sku: 'pears', title: 'Pears', stock: 3 })
      .returning({ id: products.id })
    const [read] = await db.select().from(products).where(eq(products.sku, 'pears'))
    const updated = await db
      .update(products)
      .set({ stock: sql`${products.stock} + 5` })
      .where(lt(products.stock, 3))
      .returning()
    const deleted = await db.delete(products).where(eq(products.sku, 'bread')).returning()
    const listed = await db.select({ sku: products.sku }).from(products).orderBy(asc(products.sku))
    return {
      created: created!.id,
      read: read!,
      updated: updated.length,
      deleted: deleted.length,
      listed: listed.map(({ sku }) => sku),
    }
  },
  commit: async ({ app: { db } }) => {
    const inside = await db.transaction(async (tx) => {
      await insert(tx, 'pears')
      return count(tx)
    })
    return { inside, outside: await count(db) }
  },
  rollback: async ({ app: { db } }) => {
    let inside = 0
    const work = db.transaction(async (tx) => {
      await insert(tx, 'pears')
      inside = await count(tx)
      throw new ChangedMyMind()
    })
    const error = (await rejectionOf(work)) as Error
    return { inside, error: error.message, outside: await count(db) }
  },
  nested: async ({ app: { db } }) => {
    const caught = await db.transaction(async (tx) => {
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
    return { caught, after: await count(db) }
  },
  caughtOutside: async ({ app: { db }, open }) => {
    const one = await open({ connections: 1 })
    const caught = await failureOf(insert(one.db, 'apples'))
    await insert(one.db, 'pears')
    return { caught, counted: await count(db) }
  },
  caughtInside: async ({ app: { db } }) => {
    let [caught, refused] = ['', '']
    const work = db.transaction(async (tx) => {
      await insert(tx, 'pears')
      caught = await failureOf(insert(tx, 'apples'))
      refused = await failureOf(count(tx))
      tx.rollback()
    })
    await rejectionOf(work)
    await insert(db, 'figs')
    return { caught, refused, counted: await count(db) }
  },
  bulkInsert: async ({ app: { db } }) => {
    const rows = await db.insert(products).values(crates).returning({ id: products.id })
    return { inserted: rows.length, counted: await count(db) }
  },
  cursor: no('Drizzle has no cursor or stream on Postgres; its driver has'),
  namedStatements: async ({ open }) => {
    const { db } = await open({ connections: 1 })
    const find = db
      .select()
      .from(products)
      .where(eq(products.sku, sql.placeholder('sku')))
      .prepare('find')
    const found: string[] = []
    for (const sku of ['apples', 'bread', 'apples']) {
      const [row] = await find.execute({ sku })
      found.push(row!.title)
    }
    return { found }
  },
  pipelining: async ({ open }) => {
    const { db } = await open({ connections: 1, pipeline: true })
    await count(db)
    const work = ['pears', 'pears', 'figs'].map((sku) => insert(db, sku))
    return { outcomes: await outcomesOf(work, 'inserted') }
  },
  parallel: async ({ app: { db, rowsOf } }) => {
    const answered = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        await insert(db, `parallel-${index + 1}`)
        const result = await db.execute(sql`select ${index + 1}::int as number, pg_sleep(0.001)`)
        return (rowsOf(result)[0] as { number: number }).number
      }),
    )
    return { answered, counted: await count(db) }
  },
  reconnect: async ({ app: { db } }) => {
    const failed = await db.execute(sql`select pg_terminate_backend(pg_backend_pid())`).then(
      () => false,
      () => true,
    )
    return { failed, next: await count(db) }
  },
  types: async ({ app: { db } }) => {
    await db.insert(samples).values({ id: 1, ...sample })
    const [row] = await db.select().from(samples)
    const { at, doc, body, amount, tags, big, token } = row!
    return {
      at: at.toISOString(),
      doc: doc as typeof sample.doc,
      body: body.toString('hex'),
      amount,
      tags,
      big: String(big),
      token,
    }
  },
  notifications: no('Drizzle has no LISTEN; its driver has'),
  copy: no('Drizzle has no COPY; its driver may have'),
  twoTransactions: async ({ app: { db } }) => {
    const ids = await Promise.all(['pears', 'figs'].map((sku) => db.transaction((tx) => insert(tx, sku))))
    return { committed: ids.length, counted: await count(db) }
  },
  nestedConnection: async ({ app: { db } }) => {
    const answered = await db.transaction(async (tx) => {
      await insert(tx, 'pears')
      const [row] = await db.select().from(products).where(eq(products.sku, 'bread'))
      return row!.title
    })
    return { answered, counted: await count(db) }
  },
  serializable: async ({ app: { db, rowsOf } }) => {
    const level = await db.transaction(
      async (tx) => {
        await insert(tx, 'pears')
        const [row] = rowsOf(await tx.execute(sql`show transaction_isolation`))
        return (row as { transaction_isolation: string }).transaction_isolation
      },
      { isolationLevel: 'serializable' },
    )
    return { level, counted: await count(db) }
  },
  writeSkew: async ({ app: { db } }) => {
    const both = meeting(2)
    const goOffCall = (name: string): Promise<void> =>
      db.transaction(
        async (tx) => {
          await tx.select({ count: countOf() }).from(doctors).where(eq(doctors.onCall, true))
          await both()
          await tx.update(doctors).set({ onCall: false }).where(eq(doctors.name, name))
        },
        { isolationLevel: 'serializable' },
      )
    const outcomes = await outcomesOf([goOffCall('alice'), goOffCall('bob')], 'committed')
    const onCall = await db.select().from(doctors).where(eq(doctors.onCall, true))
    return { outcomes: outcomes.toSorted(), onCall: onCall.length }
  },
  statementTimeout: async ({ open }) => {
    const { db, rowsOf } = await open({ connections: 1 })
    const work = db.transaction(async (tx) => {
      await tx.execute(sql`set local statement_timeout = '50ms'`)
      await tx.execute(sql`select pg_sleep(10)`)
    })
    const caught = await failureOf(work)
    const [row] = rowsOf(await db.execute(sql`show statement_timeout`))
    return {
      caught,
      afterwards: (row as { statement_timeout: string }).statement_timeout,
      counted: await count(db),
    }
  },
  cancel: no('Drizzle has no way to cancel a statement; its driver may have'),
  errorFields: async ({ app: { db } }) => {
    const violation = await rejectionOf(insert(db, 'apples'))
    return fieldsOf(violation, await rejectionOf(db.execute(sql`select nope from products`)))
  },
  acrossSandboxes: async ({ open, nextSandbox }) => {
    const { db } = await open({ connections: 1 })
    const find = db
      .select()
      .from(products)
      .where(eq(products.sku, sql.placeholder('sku')))
      .prepare('find')
    const look = async (): Promise<string[]> => {
      const [row] = await find.execute({ sku: 'apples' })
      return [row!.title, `id ${await insert(db, 'pears')}`]
    }
    const before = await look()
    await nextSandbox()
    return { before, after: await look(), counted: await count(db) }
  },
  roles: async ({ open, role }) => {
    const { db, rowsOf } = await open({ connections: 1 })
    const all = async (on: Database): Promise<{ body: string; user: string }[]> =>
      rowsOf(await on.execute(sql`select body, current_user::text as user from documents`)) as {
        body: string
        user: string
      }[]
    const before = await all(db)
    const inside = await db.transaction(async (tx) => {
      await tx.execute(sql`set local role ${sql.identifier(role)}`)
      return all(tx)
    })
    const after = await all(db)
    return seenByRole(role, { before, inside, after })
  },
}
