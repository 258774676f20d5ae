import { drizzle } from 'drizzle-orm/node-postgres'
import { eq } from 'drizzle-orm'
import { Pool } from 'pg'
import { createAccounts } from '../src/accounts/accounts.ts'
import { users } from '../src/accounts/tables.ts'
import { createCatalog } from '../src/catalog/catalog.ts'
import { createInventory } from '../src/inventory/inventory.ts'
import { migrate } from '../src/migrate.ts'

const products = [
  { name: 'Teapot', priceCents: 5000, stock: 10 },
  { name: 'Cup', priceCents: 700, stock: 48 },
  { name: 'Darjeeling, 100 g', priceCents: 1250, stock: 20 },
  { name: 'The last strainer', priceCents: 900, stock: 1 },
]

/** Who can sign in and order at once. */
export const ada = { email: 'ada@example.com', password: 'correct horse battery' }

/** Fills an empty database: something to sell, and somebody with a card. Nobody is sent a mail. */
export async function seed(databaseUrl: string): Promise<void> {
  await migrate(databaseUrl)
  const pool = new Pool({ connectionString: databaseUrl })
  const database = drizzle(pool)
  const catalog = createCatalog(database)
  const inventory = createInventory(database)
  for (const { stock, ...product } of products) {
    const { id } = await catalog.addProduct(product)
    await inventory.setStock(id, stock)
  }
  await createAccounts(database, { send: async () => {} }).registerUser(ada)
  await database.update(users).set({ cardToken: 'tok_visa' }).where(eq(users.email, ada.email))
  await pool.end()
}
