import type { Generated } from 'kysely'
import { Client } from 'pg'
import { nextEmail } from './statements.ts'

/** The client libraries whose latency is compared, each with one connection. */
export const drivers = ['pg', 'postgres.js', 'Drizzle', 'Kysely', 'Knex'] as const

/** The name of a client library. */
export type DriverName = (typeof drivers)[number]

/** A client library at work on one database. */
export interface DriverClient {
  /** Inserts a user and selects it again, as an application that uses this library writes it. */
  insertAndSelect(): Promise<void>
  close(): Promise<void>
}

/** Opens a client; each library is loaded only when it is measured. */
function openDriver(name: DriverName, url: string): Promise<DriverClient> {
  switch (name) {
    case 'pg':
      return openPg(url)
    case 'postgres.js':
      return openPostgresJs(url)
    case 'Drizzle':
      return openDrizzle(url)
    case 'Kysely':
      return openKysely(url)
    case 'Knex':
      return openKnex(url)
  }
}

function checkFound(seen: string | undefined, email: string): void {
  if (seen !== email) throw new Error(`The row of ${email} was not found again`)
}

async function openPg(url: string): Promise<DriverClient> {
  const client = new Client({ connectionString: url })
  await client.connect()
  return {
    async insertAndSelect() {
      const email = nextEmail()
      const inserted = await client.query<{ id: string }>(
        'insert into users (email, name) values ($1, $2) returning id',
        [email, 'Ada'],
      )
      const { rows } = await client.query<{ email: string }>('select id, email, name from users where id = $1', [
        inserted.rows[0]?.id,
      ])
      checkFound(rows[0]?.email, email)
    },
    close: () => client.end(),
  }
}

async function openPostgresJs(url: string): Promise<DriverClient> {
  const { default: postgres } = await import('postgres')
  const sql = postgres(url, { max: 1 })
  return {
    async insertAndSelect() {
      const email = nextEmail()
      const inserted = await sql<{ id: string }[]>`
        insert into users (email, name) values (${email}, 'Ada') returning id`
      const rows = await sql<{ email: string }[]>`
        select id, email, name from users where id = ${inserted[0]?.id ?? ''}`
      checkFound(rows[0]?.email, email)
    },
    close: () => sql.end(),
  }
}

async function openDrizzle(url: string): Promise<DriverClient> {
  const { drizzle } = await import('drizzle-orm/node-postgres')
  const { bigint, pgTable, text } = await import('drizzle-orm/pg-core')
  const { eq } = await import('drizzle-orm')
  const users = pgTable('users', {
    id: bigint({ mode: 'number' }).primaryKey().generatedByDefaultAsIdentity(),
    email: text().notNull(),
    name: text().notNull(),
  })
  const client = new Client({ connectionString: url })
  await client.connect()
  const database = drizzle(client)
  return {
    async insertAndSelect() {
      const email = nextEmail()
      const [inserted] = await database.insert(users).values({ email, name: 'Ada' }).returning({ id: users.id })
      const [row] = await database
        .select()
        .from(users)
        .where(eq(users.id, inserted?.id ?? 0))
      checkFound(row?.email, email)
    },
    close: () => client.end(),
  }
}

async function openKysely(url: string): Promise<DriverClient> {
  const { Kysely, PostgresDialect } = await import('kysely')
  const { Pool } = await import('pg')
  const database = new Kysely<{ users: { id: Generated<string>; email: string; name: string } }>({
    dialect: new PostgresDialect({ pool: new Pool({ connectionString: url, max: 1 }) }),
  })
  return {
    async insertAndSelect() {
      const email = nextEmail()
      const { id } = await database
        .insertInto('users')
        .values({ email, name: 'Ada' })
        .returning('id')
        .executeTakeFirstOrThrow()
      const row = await database
        .selectFrom('users')
        .select(['id', 'email', 'name'])
        .where('id', '=', id)
        .executeTakeFirst()
      checkFound(row?.email, email)
    },
    close: () => database.destroy(),
  }
}

async function openKnex(url: string): Promise<DriverClient> {
  const { default: knex } = await import('knex')
  const database = knex({ client: 'pg', connection: url, pool: { min: 1, max: 1 } })
  return {
    async insertAndSelect() {
      const email = nextEmail()
      const [inserted] = await database<{ id: string; email: string; name: string }>('users')
        .insert({ email, name: 'Ada' })
        .returning('id')
      const row = await database<{ id: string; email: string; name: string }>('users')
        .select('id', 'email', 'name')
        .where({ id: inserted?.id ?? '' })
        .first()
      checkFound(row?.email, email)
    },
    close: () => database.destroy(),
  }
}

/** Clients that are opened when they are first measured, and closed together. */
export class DriverClients {
  readonly #url: string
  readonly #open = new Map<DriverName, Promise<DriverClient>>()

  constructor(url: string) {
    this.#url = url
  }

  get(name: DriverName): Promise<DriverClient> {
    const open = this.#open.get(name) ?? openDriver(name, this.#url)
    this.#open.set(name, open)
    return open
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map(async (client) => (await client).close()))
  }
}
