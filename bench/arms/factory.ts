import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { openVivarium } from 'vivarium'
import { insert, insertList } from 'vivarium/factory'
import { timed } from './arm.ts'
import type { OpenArm } from './arm.ts'

/** So many rows of each of the five tables. */
export const rowsPerTable = 2_000

const migrations = fileURLToPath(new URL('../fixture/factory-migrations', import.meta.url))

/** What a row is inserted with by hand: its table and its columns. */
const tables = {
  customers: ['email', 'name'],
  products: ['name', 'price_cents'],
  warehouses: ['city', 'country'],
  orders: ['customer_id', 'product_id', 'warehouse_id', 'total_cents'],
  order_lines: ['order_id', 'quantity', 'note'],
} as const

type TableName = keyof typeof tables

/** Factories in a sandbox, and the same rows by hand: one client in the same sandbox. */
export async function openFactoryArm(): Promise<OpenArm> {
  const vivarium = await openVivarium({ postgres: { migrations } })
  const client = new Client({ connectionString: vivarium.postgres.url })
  const first = await vivarium.openSandbox()
  await client.connect()
  await first.close()
  let number = 0

  /** One statement, as a test's author would write it; the ids that the server gave. */
  const insertByHand = async (table: TableName, rows: readonly (readonly unknown[])[]): Promise<string[]> => {
    const columns = tables[table]
    const lists = rows.map(
      (_, row) => `(${columns.map((_column, index) => `$${row * columns.length + index + 1}`).join(', ')})`,
    )
    const text = `insert into ${table} (${columns.join(', ')}) values ${lists.join(', ')} returning *`
    const name = rows.length === 1 ? table : undefined
    const result = await client.query<{ id: string }>({
      text,
      values: rows.flat(),
      ...(name === undefined ? {} : { name }),
    })
    return result.rows.map(({ id }) => id)
  }
  const parentsByHand = async (count: number): Promise<string[][]> => {
    const numbers = Array.from({ length: count }, () => ++number)
    return [
      await insertByHand(
        'customers',
        numbers.map((n) => [`customer${n}@example.com`, `Customer ${n}`]),
      ),
      await insertByHand(
        'products',
        numbers.map((n) => [`Product ${n}`, 100]),
      ),
      await insertByHand(
        'warehouses',
        numbers.map(() => ['Hamburg', 'DE']),
      ),
    ]
  }
  const ordersByHand = async (count: number): Promise<string[]> => {
    const [customers = [], products = [], warehouses = []] = await parentsByHand(count)
    return insertByHand(
      'orders',
      customers.map((customer, index) => [customer, products[index], warehouses[index], 100]),
    )
  }
  const linesByHand = async (): Promise<void> => {
    const orders = await ordersByHand(rowsPerTable)
    await insertByHand(
      'order_lines',
      orders.map((order) => [order, 1, 'A note']),
    )
  }
  /** The sandbox is opened and closed, and the catalogue known, outside of the measured time. */
  const inSandbox = async (count: number, once: () => Promise<unknown>): Promise<number> => {
    await using _sandbox = await vivarium.openSandbox()
    await insert('orders')
    await ordersByHand(1)
    return await timed(count, once)
  }
  return {
    measures: {
      'row with three parents': (count) => inSandbox(count, () => insert('orders')),
      'row with three parents by hand': (count) => inSandbox(count, () => ordersByHand(1)),
      'ten thousand rows': (count) => inSandbox(count, () => insertList(rowsPerTable, 'order_lines')),
      'ten thousand rows by hand': (count) => inSandbox(count, linesByHand),
    },
    close: async () => {
      await client.end()
      await vivarium.close()
    },
  }
}
