import { z } from 'zod'
import { orderSchema } from '../answers.ts'
import { items, orderIdInPath } from '../fields.ts'
import { orRefuse, Refusal } from '../refusals.ts'
import { route } from '../route.ts'

export const orderRoutes = [
  route({
    method: 'post',
    path: '/api/orders',
    summary: 'Places an order, and charges the card that is stored with the user',
    access: 'user',
    body: z.strictObject({ items }),
    status: 201,
    answer: z.object({ order: orderSchema }),
    refuses: [
      'malformed_items',
      'malformed_product_id',
      'malformed_quantity',
      'empty_order',
      'order_too_large',
      'unknown_product',
      'unknown_user',
      'out_of_stock',
      'payment_failed',
    ],
    handle: async ({ shop, user, body }) => orRefuse(await shop.orders.processOrder({ userId: user.id, ...body })),
  }),

  route({
    method: 'get',
    path: '/api/orders',
    summary: 'The user’s orders, oldest first',
    access: 'user',
    status: 200,
    answer: z.object({ orders: z.array(orderSchema) }),
    refuses: [],
    handle: async ({ shop, user }) => ({ orders: await shop.orders.ordersOf(user.id) }),
  }),

  route({
    method: 'get',
    path: '/api/orders/{orderId}',
    summary: 'One order of the user’s; that another’s exists is not told',
    access: 'user',
    params: z.strictObject({ orderId: orderIdInPath }),
    status: 200,
    answer: z.object({ order: orderSchema }),
    refuses: ['malformed_order_id', 'unknown_order'],
    async handle({ shop, user, params }) {
      const order = (await shop.orders.ordersOf(user.id)).find(({ id }) => id === params.orderId)
      if (order === undefined) throw new Refusal('unknown_order')
      return { order }
    },
  }),
]
