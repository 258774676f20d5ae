import type { Client } from 'pg'
import { timed } from './arm.ts'
import type { Measure, Operation } from './arm.ts'
import type { DriverClients } from './drivers.ts'
import { drivers } from './drivers.ts'
import type { FiftyQueries } from './fifty.ts'

let counter = 0

/** A user that no test of this process had before: the arms without isolation keep their rows. */
export function nextEmail(): string {
  return `${process.pid}-${++counter}@example.com`
}

/** The two statements of a test: insert a row, select it. The same text and parameters in every arm that uses `pg`. */
export async function insertAndSelect(client: Client): Promise<void> {
  const email = nextEmail()
  const inserted = await client.query('insert into users (email, name) values ($1, $2) returning id', [email, 'Ada'])
  const selected = await client.query('select id, email, name from users where id = $1', [inserted.rows[0].id])
  if (selected.rows[0]?.email !== email) throw new Error(`The row of ${email} was not found again`)
}

function select(client: Client): Promise<unknown> {
  return client.query('select id, name, price_cents from catalog where id = 7')
}

function selectWithParameter(client: Client): Promise<unknown> {
  return client.query('select id, name, price_cents from catalog where id = $1', [7])
}

function insert(client: Client): Promise<unknown> {
  return client.query('insert into users (email, name) values ($1, $2)', [nextEmail(), 'Ada'])
}

async function selectManyRows(client: Client): Promise<void> {
  const { rowCount } = await client.query('select id, name, price_cents from catalog')
  if (rowCount !== 1_000) throw new Error(`The catalog has ${rowCount} rows instead of 1,000`)
}

async function transaction(client: Client): Promise<void> {
  await client.query('begin')
  await insert(client)
  await client.query('commit')
}

/** So many inserts, one after another, outside a transaction. */
export async function insertMany(client: Client, count: number): Promise<void> {
  for (let index = 0; index < count; index++) await insert(client)
}

async function insertInTransaction(client: Client, count: number): Promise<number> {
  await client.query('begin')
  const ms = await timed(count, () => insert(client))
  await client.query('rollback')
  return ms
}

/** Opens and closes the isolation that statements run in; its own time does not count. */
type Around = (run: () => Promise<number>) => Promise<number>

const asItIs: Around = (run) => run()

/** The operations of {@link statementMeasures}. */
type StatementOperation =
  | 'select'
  | 'select with a parameter'
  | 'insert'
  | 'insert in a transaction'
  | 'select 1,000 rows'
  | 'transaction'

/** The measures of single statements over one client. */
export function statementMeasures(client: Client, around: Around = asItIs): Record<StatementOperation, Measure> {
  const each = (once: (client: Client) => Promise<unknown>): Measure => {
    return (count) => around(() => timed(count, () => once(client)))
  }
  return {
    select: each(select),
    'select with a parameter': each(selectWithParameter),
    insert: each(insert),
    'insert in a transaction': (count) => around(() => insertInTransaction(client, count)),
    'select 1,000 rows': each(selectManyRows),
    transaction: each(transaction),
  }
}

/** The measures of whole client libraries and of many connections at once. */
export function clientMeasures(
  clients: DriverClients,
  fifty: FiftyQueries,
  around: Around = asItIs,
): Partial<Record<Operation, Measure>> {
  const measures: Partial<Record<Operation, Measure>> = {}
  for (const name of drivers) {
    measures[`pair by ${name}`] = (count) =>
      around(async () => {
        const client = await clients.get(name)
        // Connecting and preparing is no part of what is measured.
        await client.insertAndSelect()
        return timed(count, () => client.insertAndSelect())
      })
  }
  measures['fifty queries'] = (count) =>
    around(async () => {
      await fifty.run()
      return timed(count, () => fifty.run())
    })
  return measures
}
