import { eq } from 'drizzle-orm'
import { z } from 'zod'
import type { Queryable } from '../database.ts'
import { inventory } from './tables.ts'

export interface Inventory {
  /** What is in stock of a product; 0 for one that was never stocked. */
  stockOf(productId: number): Promise<number>
  setStock(productId: number, stock: number): Promise<void>
}

const stockSchema = z.int().nonnegative()

export function createInventory(database: Queryable): Inventory {
  return {
    async stockOf(productId) {
      const [found] = await database.select().from(inventory).where(eq(inventory.productId, productId))
      return found?.stock ?? 0
    },

    async setStock(productId, stock) {
      const counted = stockSchema.parse(stock)
      await database
        .insert(inventory)
        .values({ productId, stock: counted })
        .onConflictDoUpdate({ target: inventory.productId, set: { stock: counted } })
    },
  }
}
