import { z } from 'zod'
import type { Queryable } from '../database.ts'
import type { Mailer } from '../mail/mailer.ts'
import type { User } from './accounts.ts'
import { hashPassword } from './passwords.ts'
import { users } from './tables.ts'

export interface Registration {
  readonly email: string
  readonly password: string
}

export type RegistrationResult =
  | {
      readonly ok: true
      readonly user: User
      /** Whether the mail service took the welcome mail. The registration stands either way. */
      readonly welcomed: boolean
    }
  | { readonly ok: false; readonly error: 'malformed_email' | 'weak_password' | 'email_taken' }

const emailSchema = z.email().toLowerCase()
const leastPasswordLength = 10

/** Stores the user, then welcomes them by mail: a mail sent before could not be taken back. */
export async function registerUser(
  database: Queryable,
  mailer: Mailer,
  { email: given, password }: Registration,
): Promise<RegistrationResult> {
  const email = emailSchema.safeParse(given)
  if (!email.success) return { ok: false, error: 'malformed_email' }
  if (password.length < leastPasswordLength) return { ok: false, error: 'weak_password' }

  // The database decides who was first, also of two at the same moment.
  const [user] = await database
    .insert(users)
    .values({ email: email.data, passwordHash: await hashPassword(password) })
    .onConflictDoNothing()
    .returning({ id: users.id, email: users.email, cardToken: users.cardToken })
  if (user === undefined) return { ok: false, error: 'email_taken' }

  const welcomed = await mailer.send(welcomeMail(user)).then(
    () => true,
    () => false,
  )
  return { ok: true, user, welcomed }
}

function welcomeMail({ email }: User): Parameters<Mailer['send']>[0] {
  return {
    to: email,
    subject: 'Welcome to the shop',
    text: `Hello ${email},\n\nwelcome to the shop. We are glad that you are here.\n`,
  }
}
