import { z } from 'zod'
import { userSchema } from '../answers.ts'
import { email, password } from '../fields.ts'
import { orRefuse } from '../refusals.ts'
import { route } from '../route.ts'

export const userRoutes = [
  route({
    method: 'post',
    path: '/api/users',
    summary: 'Registers a user, and welcomes them by mail',
    access: 'anybody',
    body: z.strictObject({ email, password }),
    status: 201,
    answer: z.object({
      user: userSchema,
      /** Whether the mail service took the welcome mail. */
      welcomed: z.boolean(),
    }),
    refuses: ['malformed_email', 'malformed_password', 'weak_password', 'email_taken'],
    handle: async ({ shop, body }) => orRefuse(await shop.accounts.registerUser(body)),
  }),
]
