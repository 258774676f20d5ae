import { createHash, randomBytes } from 'node:crypto'
import { and, eq, gt, lte } from 'drizzle-orm'
import type { Accounts, User } from '../accounts/accounts.ts'
import type { Queryable } from '../database.ts'
import { sessions } from './tables.ts'

export interface StartedSession {
  /** 256 random bits. Only its owner has it: what is stored is its hash. */
  readonly token: string
  readonly expiresAt: Date
}

export type SignInResult =
  | { readonly ok: true; readonly session: StartedSession; readonly user: User }
  | { readonly ok: false; readonly error: 'wrong_credentials' }

export interface Sessions {
  /** Starts a session for who has this email and this password; whether it is the email that is wrong is not told. */
  signIn(credentials: { email: string; password: string }): Promise<SignInResult>
  /** Starts a session for a user, who is known to be who they say. */
  start(user: User): Promise<StartedSession>
  /** The user of a session that was started, has not ended and has not expired. */
  userOf(token: string): Promise<User | undefined>
  /** Ends a session; one that has ended already stays ended. */
  signOut(token: string): Promise<void>
}

export interface SessionsOptions {
  /** How long a session lasts, in milliseconds. @default 14 days */
  readonly lifetimeMs?: number
}

const fortnightMs = 14 * 24 * 60 * 60 * 1000

export function createSessions(
  database: Queryable,
  accounts: Accounts,
  { lifetimeMs = fortnightMs }: SessionsOptions = {},
): Sessions {
  async function start({ id: userId }: User): Promise<StartedSession> {
    const now = new Date()
    // Who signs in takes their own expired sessions away, so that nothing else has to.
    await database.delete(sessions).where(and(eq(sessions.userId, userId), lte(sessions.expiresAt, now)))
    const token = randomBytes(32).toString('base64url')
    const expiresAt = new Date(now.getTime() + lifetimeMs)
    await database.insert(sessions).values({ tokenHash: hashOf(token), userId, expiresAt })
    return { token, expiresAt }
  }

  return {
    async signIn(credentials) {
      const user = await accounts.findByPassword(credentials)
      return user === undefined
        ? { ok: false, error: 'wrong_credentials' }
        : { ok: true, session: await start(user), user }
    },

    start,

    async userOf(token) {
      const [found] = await database
        .select({ userId: sessions.userId })
        .from(sessions)
        .where(and(eq(sessions.tokenHash, hashOf(token)), gt(sessions.expiresAt, new Date())))
      return found === undefined ? undefined : await accounts.findUser(found.userId)
    },

    async signOut(token) {
      await database.delete(sessions).where(eq(sessions.tokenHash, hashOf(token)))
    },
  }
}

/** A token cannot be guessed, so that a fast hash without salt is enough. */
function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}
