import { eq } from 'drizzle-orm'
import { z } from 'zod'
import type { Queryable } from '../database.ts'
import type { Mailer } from '../mail/mailer.ts'
import { isPassword, nobodysHash } from './passwords.ts'
import { registerUser } from './register-user.ts'
import type { Registration, RegistrationResult } from './register-user.ts'
import { users } from './tables.ts'

export interface User {
  readonly id: number
  readonly email: string
  /** What the payment provider gave us in place of the card; `null` until one is stored. */
  readonly cardToken: string | null
}

const newUserSchema = z.object({
  email: z.email().toLowerCase(),
  cardToken: z.string().min(1).nullable().default(null),
})

export type NewUser = z.input<typeof newUserSchema>

export interface Accounts {
  /** Stores a user with a hashed password and sends the welcome mail. */
  registerUser(registration: Registration): Promise<RegistrationResult>
  /** The user who has registered with this email and this password. */
  findByPassword(registration: Registration): Promise<User | undefined>
  createUser(user: NewUser): Promise<User>
  findUser(userId: number): Promise<User | undefined>
}

const columns = { id: users.id, email: users.email, cardToken: users.cardToken }

export function createAccounts(database: Queryable, mailer: Mailer): Accounts {
  return {
    registerUser: (registration) => registerUser(database, mailer, registration),

    async findByPassword({ email, password }) {
      const [found] = await database
        .select({ ...columns, passwordHash: users.passwordHash })
        .from(users)
        .where(eq(users.email, email.toLowerCase()))
      // Also where there is nobody, a password is compared: how long it takes does not tell whether an email is known.
      const isRight = await isPassword(password, found?.passwordHash ?? nobodysHash)
      if (found === undefined || !isRight) return undefined
      const { passwordHash: _, ...user } = found
      return user
    },

    async createUser(user) {
      const [created] = await database.insert(users).values(newUserSchema.parse(user)).returning(columns)
      return created!
    },

    findUser: (userId) => findUser(database, userId),
  }
}

/** The user, as a transaction sees them. */
export async function findUser(database: Queryable, userId: number): Promise<User | undefined> {
  const [found] = await database.select(columns).from(users).where(eq(users.id, userId))
  return found
}
