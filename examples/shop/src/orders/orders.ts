import { asc, eq, inArray } from 'drizzle-orm'
import type { Database } from '../database.ts'
import type { Notifications } from '../notifications/notifications.ts'
import type { PaymentGateway } from '../payments/payment-gateway.ts'
import type { Report } from '../report.ts'
import type { Order } from './order.ts'
import type { OrderRequest, OrderResult } from './process-order.ts'
import { processOrder } from './process-order.ts'
import { orderItems, orders } from './tables.ts'

export interface Orders {
  /** Takes the order, reserves its stock and charges the user's card: all of it, or nothing of it. Then notifies the user. */
  processOrder(request: OrderRequest): Promise<OrderResult>
  /** A user's orders, oldest first. */
  ordersOf(userId: number): Promise<Order[]>
}

export interface OrdersOptions {
  readonly database: Database
  readonly gateway: PaymentGateway
  readonly notifications: Pick<Notifications, 'broadcastToUser'>
  readonly report: Report
}

export function createOrders({ database, gateway, notifications, report }: OrdersOptions): Orders {
  return {
    async processOrder(request) {
      const result = await processOrder({ database, gateway }, request)
      if (result.ok) {
        const { id, userId } = result.order
        // The order stands, whether or not its user hears of it.
        await notifications
          .broadcastToUser(userId, { kind: 'order_paid', text: `Order ${id} is paid.` })
          .catch((error) => report(`The user could not be told that order ${id} is paid`, error))
      }
      return result
    },

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
