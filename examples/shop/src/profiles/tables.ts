import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { users } from '../accounts/tables.ts'

export const profiles = pgTable('profiles', {
  id: integer('id').primaryKey().generatedAlwaysAsIdentity(),
  userId: integer('user_id')
    .notNull()
    .unique()
    .references(() => users.id),
  firstName: text('first_name').notNull(),
  lastName: text('last_name').notNull(),
  bio: text('bio').notNull().default(''),
})
