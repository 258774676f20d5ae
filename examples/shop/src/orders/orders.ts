import { asc, eq, inArray } from 'drizzle-orm'
import type { Database } from '../database.ts'
import type { PaymentGateway } from '../payments/payment-gateway.ts'
import type { Order } from './order.ts'
import type { OrderRequest, OrderResult } from './process-order.ts'
import { processOrder } from './process-order.ts'
import { orderItems, orders } from './tables.ts'

export interface Orders {
  /** Takes the order, reserves its stock and charges the user's card: all of it, or nothing of it. */
  processOrder(request: OrderRequest): Promise<OrderResult>
  /** A user's orders, oldest first. */
  ordersOf(userId: number): Promise<Order[]>
}

export function createOrders(database: Database, gateway: PaymentGateway): Orders {
  return {
    processOrder: (request) => processOrder({ database, gateway }, request),

    async ordersOf(userId) {
      const found = await database.select().from(orders).where(eq(orders.userId, userId)).orderBy(asc(orders.id))
      const items = await database
        .select()
        .from(orderItems)
        .where(
          inArray(
            orderItems.orderId,
            found.map((order) => order.id),
          ),
        )
        .orderBy(asc(orderItems.productId))
      return found.map(({ id, status, totalCents }) => ({
        id,
        userId,
        status,
        totalCents,
        items: items
          .filter((item) => item.orderId === id)
          .map(({ productId, quantity, unitPriceCents }) => ({ productId, quantity, unitPriceCents })),
      }))
    },
  }
}
