import { z } from 'zod'
import { onboardingSchema } from '../answers.ts'
import { bio, cardToken, firstName, lastName, verificationToken } from '../fields.ts'
import { orRefuse, Refusal } from '../refusals.ts'
import { route } from '../route.ts'

export const onboardingRoutes = [
  route({
    method: 'get',
    path: '/api/onboarding',
    summary: 'Where the user stands on the way from registration to active',
    access: 'user',
    status: 200,
    answer: onboardingSchema,
    refuses: ['unknown_user'],
    async handle({ shop, user }) {
      const status = await shop.onboarding.statusOf(user)
      if (status === undefined) throw new Refusal('unknown_user')
      return status
    },
  }),

  route({
    method: 'post',
    path: '/api/onboarding/start',
    summary: 'Mails the user a token that verifies their email; again as long as it is wanted',
    access: 'user',
    status: 200,
    // Whether the mail service took the mail; if not, start again.
    answer: onboardingSchema.extend({ mailed: z.boolean() }),
    refuses: ['unknown_user', 'step_out_of_order'],
    handle: async ({ shop, user }) => orRefuse(await shop.onboarding.startOnboarding(user)),
  }),

  route({
    method: 'post',
    path: '/api/onboarding/verify',
    summary: 'Verifies an email: whoever has the mailed token may',
    access: 'anybody',
    body: z.strictObject({ token: verificationToken }),
    status: 200,
    answer: onboardingSchema,
    refuses: ['malformed_token', 'unknown_token', 'used_token', 'expired_token'],
    handle: async ({ shop, body }) => orRefuse(await shop.onboarding.verifyEmail(body.token)),
  }),

  route({
    method: 'post',
    path: '/api/onboarding/profile',
    summary: 'Sets up the profile',
    access: 'user',
    body: z.strictObject({ firstName, lastName, bio: bio.optional() }),
    status: 200,
    answer: onboardingSchema,
    refuses: ['malformed_first_name', 'malformed_last_name', 'malformed_bio', 'unknown_user', 'step_out_of_order'],
    handle: async ({ shop, user, body }) => orRefuse(await shop.onboarding.setupProfile(user, body)),
  }),

  route({
    method: 'post',
    path: '/api/onboarding/payment',
    summary: 'Stores a card that the payment provider accepts',
    access: 'user',
    body: z.strictObject({ cardToken }),
    status: 200,
    answer: onboardingSchema,
    refuses: ['malformed_card_token', 'card_declined', 'unknown_user', 'step_out_of_order'],
    handle: async ({ shop, user, body }) => orRefuse(await shop.onboarding.setupPayment(user, body)),
  }),

  route({
    method: 'post',
    path: '/api/onboarding/activate',
    summary: 'Makes the user active',
    access: 'user',
    status: 200,
    answer: onboardingSchema,
    refuses: ['unknown_user', 'step_out_of_order'],
    handle: async ({ shop, user }) => orRefuse(await shop.onboarding.activate(user)),
  }),
]
