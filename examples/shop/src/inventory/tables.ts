import { integer, pgTable } from 'drizzle-orm/pg-core'
import { products } from '../catalog/tables.ts'

export const inventory = pgTable('inventory', {
  productId: integer('product_id')
    .primaryKey()
    .references(() => products.id),
  stock: integer('stock').notNull(),
})
