// The fields of requests. Where zod has a message, they have the name that the API refuses a wrong value by.
import { z } from 'zod'
import type { RefusalCode } from './refusals.ts'

/** A text as Postgres can keep it: without NUL. */
function text(error: RefusalCode, { least = 0, most }: { least?: number; most: number }): z.ZodString {
  return z
    .string({ error })
    .min(least, { error })
    .max(most, { error })
    .regex(/^[^\0]*$/, { error })
}

/** An id in a body; those of the database have 32 bits. */
function id(error: RefusalCode): z.ZodInt32 {
  return z.int32({ error }).positive({ error })
}

/** An id in a path. */
function pathId(error: RefusalCode): z.ZodType<number> {
  return z
    .string({ error })
    .regex(/^[1-9][0-9]{0,9}$/, { error })
    .transform(Number)
    .pipe(z.int32({ error }))
}

export const email = z.email({ error: 'malformed_email' satisfies RefusalCode }).max(254, { error: 'malformed_email' })
export const password = text('malformed_password', { most: 200 })
export const userIdInPath = pathId('malformed_user_id')
export const orderIdInPath = pathId('malformed_order_id')

export const items = z
  .array(
    z.strictObject({
      productId: id('malformed_product_id'),
      quantity: z
        .int({ error: 'malformed_quantity' })
        .min(1, { error: 'malformed_quantity' })
        .max(1000, { error: 'malformed_quantity' }),
    }),
    { error: 'malformed_items' },
  )
  .max(50, { error: 'malformed_items' })
