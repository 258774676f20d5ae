import { z } from 'zod'
import { findUser } from '../accounts/accounts.ts'
import { createCatalog } from '../catalog/catalog.ts'
import type { Database, Transaction } from '../database.ts'
import { reserveStock } from '../inventory/reserve-stock.ts'
import type { StockLine } from '../inventory/reserve-stock.ts'
import type { PaymentGateway } from '../payments/payment-gateway.ts'
import { withPayment } from '../payments/with-payment.ts'
import type { Order, OrderItem } from './order.ts'
import { orderItems, orders } from './tables.ts'

const orderRequestSchema = z.object({
  userId: z.int().positive(),
  items: z.array(z.object({ productId: z.int().positive(), quantity: z.int().positive() })),
})

export type OrderRequest = z.input<typeof orderRequestSchema>

export type OrderError =
  | 'payment_failed'
  | 'out_of_stock'
  | 'unknown_product'
  | 'empty_order'
  | 'order_too_large'
  | 'unknown_user'

export type OrderResult = { ok: true; order: Order } | { ok: false; error: OrderError }

/** What the total of an order can hold: an `integer` of the database. */
const mostCents = 2_147_483_647

/** Thrown inside the transaction, so that it rolls back; outside it becomes the result. */
class OrderRefused extends Error {
  readonly reason: OrderError

  constructor(reason: OrderError) {
    super(reason)
    this.reason = reason
  }
}

/** Takes an order in one transaction; a malformed request throws a `ZodError`. */
export async function processOrder(
  { database, gateway }: { database: Database; gateway: PaymentGateway },
  request: OrderRequest,
): Promise<OrderResult> {
  const { userId, items } = orderRequestSchema.parse(request)
  const lines = mergeLines(items)
  if (lines.length === 0) return { ok: false, error: 'empty_order' }

  try {
    const order = await withPayment({ database, gateway }, async (tx, pay) => {
      const user = await findUser(tx, userId)
      if (!user) throw new OrderRefused('unknown_user')

      const priced = await priceLines(tx, lines)
      if (!(await reserveStock(tx, lines))) throw new OrderRefused('out_of_stock')
      const placed = await placeOrder(tx, userId, priced)

      // The charge comes last: it is the one step that a rollback cannot take back.
      if (user.cardToken === null) throw new OrderRefused('payment_failed')
      const paid = await pay(placed.id, user.cardToken)
      if (!paid.ok) throw new OrderRefused('payment_failed')
      return { ...placed, status: 'paid' as const }
    })
    return { ok: true, order }
  } catch (error) {
    if (error instanceof OrderRefused) return { ok: false, error: error.reason }
    throw error
  }
}

/** One line per product, in the order of product ids. */
function mergeLines(items: readonly StockLine[]): StockLine[] {
  const quantities = new Map<number, number>()
  for (const { productId, quantity } of items) quantities.set(productId, (quantities.get(productId) ?? 0) + quantity)
  return [...quantities]
    .map(([productId, quantity]) => ({ productId, quantity }))
    .sort((one, other) => one.productId - other.productId)
}

async function priceLines(tx: Transaction, lines: readonly StockLine[]): Promise<OrderItem[]> {
  const products = await createCatalog(tx).findProducts(lines.map((line) => line.productId))
  const prices = new Map(products.map((product) => [product.id, product.priceCents]))
  return lines.map((line) => {
    const unitPriceCents = prices.get(line.productId)
    if (unitPriceCents === undefined) throw new OrderRefused('unknown_product')
    return { ...line, unitPriceCents }
  })
}

async function placeOrder(tx: Transaction, userId: number, items: readonly OrderItem[]): Promise<Order> {
  const totalCents = items.reduce((sum, item) => sum + item.quantity * item.unitPriceCents, 0)
  if (totalCents > mostCents) throw new OrderRefused('order_too_large')
  const [order] = await tx.insert(orders).values({ userId, totalCents }).returning({ id: orders.id })
  const { id } = order!
  await tx.insert(orderItems).values(items.map((item) => ({ orderId: id, ...item })))
  return { id, userId, status: 'pending', totalCents, items }
}
