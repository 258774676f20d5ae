import { z } from 'zod'
import { profileSchema } from '../answers.ts'
import { requireSelf } from '../authentication.ts'
import { bio, firstName, lastName, userIdInPath } from '../fields.ts'
import { orRefuse, Refusal } from '../refusals.ts'
import { route } from '../route.ts'

const path = '/api/users/{userId}/profile'
const params = z.strictObject({ userId: userIdInPath })

export const profileRoutes = [
  route({
    method: 'get',
    path,
    summary: 'A user’s own profile',
    access: 'user',
    params,
    status: 200,
    answer: z.object({ profile: profileSchema }),
    refuses: ['malformed_user_id', 'not_yours', 'unknown_profile'],
    async handle({ shop, user, params: { userId } }) {
      requireSelf(user, userId)
      const profile = await shop.profiles.getProfile(userId)
      if (profile === undefined) throw new Refusal('unknown_profile')
      return { profile }
    },
  }),

  route({
    method: 'patch',
    path,
    summary: 'Changes what the body names of a user’s own profile',
    access: 'user',
    params,
    body: z.strictObject({ firstName, lastName, bio }).partial(),
    status: 200,
    answer: z.object({ profile: profileSchema }),
    refuses: [
      'malformed_user_id',
      'malformed_first_name',
      'malformed_last_name',
      'malformed_bio',
      'nothing_to_change',
      'not_yours',
      'unknown_profile',
    ],
    async handle({ shop, user, params: { userId }, body }) {
      requireSelf(user, userId)
      if (Object.keys(body).length === 0) throw new Refusal('nothing_to_change')
      const profile = await shop.profiles.getProfile(userId)
      if (profile === undefined) throw new Refusal('unknown_profile')
      return orRefuse(await shop.profiles.updateProfile(profile.id, body))
    },
  }),
]
