import { PGlite } from '@electric-sql/pglite'
import { readMigrations } from '../fixture/schema.ts'
import { timed } from './arm.ts'
import type { OpenArm, OpenArmFunction } from './arm.ts'
import { nextEmail } from './statements.ts'

interface Queryable {
  query<T>(text: string, parameters?: unknown[]): Promise<{ rows: T[] }>
}

async function insertAndSelect(database: Queryable): Promise<void> {
  const email = nextEmail()
  const inserted = await database.query<{ id: number }>(
    'insert into users (email, name) values ($1, $2) returning id',
    [email, 'Ada'],
  )
  const selected = await database.query<{ email: string }>('select id, email, name from users where id = $1', [
    inserted.rows[0]?.id,
  ])
  if (selected.rows[0]?.email !== email) throw new Error(`The row of ${email} was not found again`)
}

async function createMigrated(): Promise<PGlite> {
  const database = await PGlite.create()
  for (const migration of await readMigrations()) await database.exec(migration)
  return database
}

async function testInNewInstance(): Promise<void> {
  const database = await createMigrated()
  try {
    await insertAndSelect(database)
  } finally {
    await database.close()
  }
}

/** In-process WASM Postgres, a new and migrated instance for each test. */
export const openPgliteInstanceArm: OpenArmFunction = (): Promise<OpenArm> => {
  return Promise.resolve({
    measures: { test: (count) => timed(count, testInNewInstance) },
    close: () => Promise.resolve(),
  })
}

/** In-process WASM Postgres, one instance for the process, and a rolled-back transaction per test in its own API. */
export const openPgliteTransactionArm: OpenArmFunction = async (): Promise<OpenArm> => {
  const database = await createMigrated()
  const test = (): Promise<unknown> =>
    database.transaction(async (transaction) => {
      await insertAndSelect(transaction)
      await transaction.rollback()
    })
  const measures: OpenArm['measures'] = {
    test: (count) => timed(count, test),
    select: (count) => timed(count, () => database.query('select id, name, price_cents from catalog where id = 7')),
    'select with a parameter': (count) =>
      timed(count, () => database.query('select id, name, price_cents from catalog where id = $1', [7])),
    insert: (count) =>
      timed(count, () => database.query('insert into users (email, name) values ($1, $2)', [nextEmail(), 'Ada'])),
    'select 1,000 rows': (count) => timed(count, () => database.query('select id, name, price_cents from catalog')),
  }
  return { measures, close: () => database.close() }
}
