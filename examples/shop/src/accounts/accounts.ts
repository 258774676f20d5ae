import { eq } from 'drizzle-orm'
import { z } from 'zod'
import type { Queryable } from '../database.ts'
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
  createUser(user: NewUser): Promise<User>
  findUser(userId: number): Promise<User | undefined>
}

const columns = { id: users.id, email: users.email, cardToken: users.cardToken }

export function createAccounts(database: Queryable): Accounts {
  return {
    async createUser(user) {
      const [created] = await database.insert(users).values(newUserSchema.parse(user)).returning(columns)
      return created!
    },

    async findUser(userId) {
      const [found] = await database.select(columns).from(users).where(eq(users.id, userId))
      return found
    },
  }
}
