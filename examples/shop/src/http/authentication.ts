import { createHash, timingSafeEqual } from 'node:crypto'
import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { User } from '../accounts/accounts.ts'
import type { StartedSession } from '../sessions/sessions.ts'
import type { AppParts } from './app.ts'
import { Refusal } from './refusals.ts'

const cookie = 'shop_session'

/** The user whose session's token came as a bearer, or in the cookie. */
export async function readSession(context: Context, { shop }: AppParts): Promise<User> {
  const token = sessionToken(context)
  const user = token === undefined ? undefined : await shop.sessions.userOf(token)
  if (user === undefined) throw new Refusal('not_signed_in')
  context.set('userId', user.id)
  return user
}

export function sessionToken(context: Context): string | undefined {
  return bearerOf(context) ?? getCookie(context, cookie)
}

/** What scripts of a page cannot read, and what is not sent along when another site posts to us. */
export function giveSessionCookie(context: Context, { token, expiresAt }: StartedSession, { secure }: AppParts): void {
  setCookie(context, cookie, token, { httpOnly: true, sameSite: 'Lax', path: '/', secure, expires: expiresAt })
}

export function takeSessionCookie(context: Context, { secure }: AppParts): void {
  deleteCookie(context, cookie, { path: '/', secure })
}

/** Without a token of its own the shop has no staff. */
export function requireStaff(context: Context, { staffToken }: AppParts): void {
  const given = bearerOf(context)
  if (staffToken === undefined || given === undefined || !isSame(given, staffToken)) throw new Refusal('not_staff')
}

/** What belongs to a user is theirs alone. */
export function requireSelf(user: User, userId: number): void {
  if (user.id !== userId) throw new Refusal('not_yours')
}

function bearerOf(context: Context): string | undefined {
  return /^Bearer ([\w.~+/=-]+)$/i.exec(context.req.header('authorization') ?? '')?.[1]
}

/** Takes as long for a token that is nearly right as for one that is not. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}
