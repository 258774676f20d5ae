import { z } from 'zod'
import { userSchema } from '../answers.ts'
import { giveSessionCookie, sessionToken, takeSessionCookie } from '../authentication.ts'
import { email, password } from '../fields.ts'
import { orRefuse } from '../refusals.ts'
import { route } from '../route.ts'

export const sessionRoutes = [
  route({
    method: 'post',
    path: '/api/session',
    summary: 'Signs in: the session is in the answer for programs, and in a cookie for browsers',
    access: 'anybody',
    body: z.strictObject({ email, password }),
    status: 201,
    answer: z.object({ token: z.string(), expiresAt: z.iso.datetime(), user: userSchema }),
    refuses: ['malformed_email', 'malformed_password', 'wrong_credentials'],
    async handle({ body, context, ...parts }) {
      const { session, user } = orRefuse(await parts.shop.sessions.signIn(body))
      giveSessionCookie(context, session, parts)
      return { token: session.token, expiresAt: session.expiresAt.toISOString(), user }
    },
  }),

  route({
    method: 'get',
    path: '/api/session',
    summary: 'Who is signed in',
    access: 'user',
    status: 200,
    answer: z.object({ user: userSchema }),
    refuses: [],
    handle: async ({ user }) => ({ user }),
  }),

  route({
    method: 'delete',
    path: '/api/session',
    summary: 'Signs out: the session’s token is worth nothing from then on',
    access: 'user',
    status: 204,
    refuses: [],
    async handle({ context, ...parts }) {
      await parts.shop.sessions.signOut(sessionToken(context)!)
      takeSessionCookie(context, parts)
    },
  }),
]
