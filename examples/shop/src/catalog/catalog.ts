import { asc, inArray } from 'drizzle-orm'
import { z } from 'zod'
import type { Queryable } from '../database.ts'
import { products } from './tables.ts'

export interface Product {
  readonly id: number
  readonly name: string
  readonly priceCents: number
}

const newProductSchema = z.object({ name: z.string().trim().min(1), priceCents: z.int().positive() })

export type NewProduct = z.input<typeof newProductSchema>

export interface Catalog {
  addProduct(product: NewProduct): Promise<Product>
  /** Those of the products that exist, by id. */
  findProducts(productIds: readonly number[]): Promise<Product[]>
  listProducts(): Promise<Product[]>
}

export function createCatalog(database: Queryable): Catalog {
  return {
    async addProduct(product) {
      const [added] = await database.insert(products).values(newProductSchema.parse(product)).returning()
      return added!
    },

    findProducts: async (productIds) =>
      await database
        .select()
        .from(products)
        .where(inArray(products.id, [...productIds]))
        .orderBy(asc(products.id)),

    listProducts: async () => await database.select().from(products).orderBy(asc(products.id)),
  }
}
