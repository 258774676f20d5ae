import { drizzle } from 'drizzle-orm/node-postgres'
import { Pool } from 'pg'
import { createAccounts } from '../src/accounts/accounts.ts'
import { createCatalog } from '../src/catalog/catalog.ts'
import { createInventory } from '../src/inventory/inventory.ts'
import { createSessions } from '../src/sessions/sessions.ts'

export interface StockedProduct {
  readonly id: number
  readonly name: string
  readonly priceCents: number
  /** Before anybody has ordered. */
  readonly stock: number
}

export interface Customer {
  /** Of a session. */
  readonly token: string
}

/** Enough for some, and not for all: most of what is sold runs out while the customers race. */
const stocks = [1, 7, 60, 300, 900]

/** Fills the shelves, and signs the customers in: every sixth has a card that is declined, and every sixth none. */
export async function prepareShop(
  databaseUrl: string,
  { customers: count }: { customers: number },
): Promise<{ products: StockedProduct[]; customers: Customer[] }> {
  const pool = new Pool({ connectionString: databaseUrl })
  const database = drizzle(pool)
  const accounts = createAccounts(database, { send: async () => {} })
  const sessions = createSessions(database, accounts)

  const products: StockedProduct[] = []
  for (const stock of stocks) {
    const product = await createCatalog(database).addProduct({ name: `${stock} of these`, priceCents: 100 + stock })
    await createInventory(database).setStock(product.id, stock)
    products.push({ ...product, stock })
  }

  const cards = ['tok_visa', 'tok_visa', 'tok_visa', 'tok_visa', 'tok_chargeDeclined', null]
  const customers: Customer[] = []
  for (let number = 0; number < count; number++) {
    const cardToken = cards[number % cards.length]!
    const user = await accounts.createUser({ email: `customer-${number}@example.com`, cardToken })
    const { token } = await sessions.start(user)
    customers.push({ token })
  }
  await pool.end()
  return { products, customers }
}
