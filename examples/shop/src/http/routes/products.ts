import { z } from 'zod'
import { productSchema } from '../answers.ts'
import { route } from '../route.ts'

export const productRoutes = [
  route({
    method: 'get',
    path: '/api/products',
    summary: 'Everything that the shop sells',
    access: 'anybody',
    status: 200,
    answer: z.object({ products: z.array(productSchema) }),
    refuses: [],
    handle: async ({ shop }) => ({ products: await shop.catalog.listProducts() }),
  }),
]
