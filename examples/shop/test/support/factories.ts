import { defineFactories, sequence } from 'vivarium/factory'
import type { TablesOfDrizzle } from 'vivarium/factory'
import { users } from '../../src/accounts/tables.ts'
import { products } from '../../src/catalog/tables.ts'
import { inventory } from '../../src/inventory/tables.ts'
import { orderItems, orders } from '../../src/orders/tables.ts'
import { payments } from '../../src/payments/tables.ts'
import { profiles } from '../../src/profiles/tables.ts'

const tables = { users, products, inventory, orders, orderItems, payments, profiles }

/**
 * What there is when a test begins: `await given.insert('user', 'withCard')`. Whatever is not said here, and not in the test, the database's own schema
 * says: a row is always one that it takes.
 */
export const given = defineFactories<TablesOfDrizzle<typeof tables>>({ naming: 'camel' })
  .define('user', 'users', {
    defaults: { email: sequence((n) => `user-${n}@example.com`) },
    traits: { withCard: { cardToken: 'tok_visa' } },
  })
  .define('product', 'products', {
    params: { stock: 10 },
    defaults: { name: 'Teapot', priceCents: 5000 },
    afterInsert: async (product, { params, insert }) => {
      await insert('inventory', { product, stock: params.stock })
    },
  })
  .define('profile', 'profiles', { defaults: { firstName: 'Ada', lastName: 'Lovelace', bio: 'Poet' } })
