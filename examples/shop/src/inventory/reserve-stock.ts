import { asc, inArray, sql } from 'drizzle-orm'
import type { Transaction } from '../database.ts'
import { inventory } from './tables.ts'

export interface StockLine {
  readonly productId: number
  readonly quantity: number
}

/**
 * Takes every line from stock, at most one line per product; `false` when one of them is not there in that quantity,
 * and then the transaction must be rolled back.
 */
export async function reserveStock(tx: Transaction, lines: readonly StockLine[]): Promise<boolean> {
  const productIds = lines.map((line) => line.productId)
  const quantities = lines.map((line) => line.quantity)

  // An UPDATE locks rows in whatever order its plan meets them, and two orders for the same two products could then
  // wait for each other. Locked in the order of their ids first, the second order waits at its first row.
  await tx
    .select({ productId: inventory.productId })
    .from(inventory)
    .where(inArray(inventory.productId, productIds))
    .orderBy(asc(inventory.productId))
    .for('update')

  const reserved = await tx.execute(sql`
    update ${inventory} set stock = ${inventory.stock} - line.quantity
    from unnest(${sql.param(productIds)}::integer[], ${sql.param(quantities)}::integer[]) as line (product_id, quantity)
    where ${inventory.productId} = line.product_id and ${inventory.stock} >= line.quantity
  `)
  return reserved.rowCount === lines.length
}
