// The fields of requests. Where zod has a message, they have the name that the API refuses a wrong value by.
import { z } from 'zod'
import type { RefusalCode } from './refusals.ts'

/** A text as Postgres can keep it: without NUL. */
function text(error: RefusalCode, { most }: { most: number }): z.ZodString {
  return z
    .string({ error })
    .max(most, { error })
    .regex(/^[^\0]*$/, { error })
}

/** One that says something. */
function words(error: RefusalCode, { most }: { most: number }): z.ZodString {
  return text(error, { most }).regex(/\S/, { error })
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

export const firstName = words('malformed_first_name', { most: 100 })
export const lastName = words('malformed_last_name', { most: 100 })
export const bio = text('malformed_bio', { most: 2000 })

/** What a verification mail has: see onboarding/verification-token.ts. */
export const verificationToken = z
  .string({ error: 'malformed_token' satisfies RefusalCode })
  .regex(/^[\w-]{43}$/, { error: 'malformed_token' })

export const cardToken = z
  .string({ error: 'malformed_card_token' satisfies RefusalCode })
  .regex(/^\w{3,100}$/, { error: 'malformed_card_token' })

export const userIds = z
  .array(id('malformed_user_id'), { error: 'malformed_user_ids' })
  .min(1, { error: 'malformed_user_ids' })
  .max(1000, { error: 'malformed_user_ids' })

export const notification = z.strictObject(
  {
    kind: text('malformed_kind', { most: 50 }).regex(/^[a-z]+(_[a-z]+)*$/, { error: 'malformed_kind' }),
    text: words('malformed_text', { most: 500 }),
  },
  { error: 'malformed_notification' },
)

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
