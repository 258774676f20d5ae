import { bigint, integer, jsonb, numeric, pgSchema, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import type { ColumnType, Generated, GeneratedAlways } from 'kysely'
import { expectTypeOf, test } from 'vitest'
import { assoc, defineFactories, sequence, type TablesOfDrizzle, type TablesOfKysely } from '../index.ts'

const users = pgTable('users', {
  id: integer('id').primaryKey().generatedAlwaysAsIdentity(),
  email: text('email').notNull(),
  role: text('role', { enum: ['admin', 'member'] })
    .notNull()
    .default('member'),
  cardToken: text('card_token'),
  preferences: jsonb('preferences').$type<{ dark: boolean }>(),
})
const orderStates = pgTable('order_states', { id: integer('id').primaryKey(), name: text('name').notNull() })
const orders = pgTable('orders', {
  id: bigint('id', { mode: 'number' }).primaryKey(),
  userId: integer('user_id')
    .notNull()
    .references(() => users.id),
  approverId: integer('approver_id'),
  orderStateId: integer('order_state_id').notNull(),
  total: numeric('total').notNull(),
  createdAt: timestamp('created_at').notNull().defaultNow(),
})
const invoices = pgSchema('billing').table('invoices', { id: integer('id').primaryKey() })
const schema = { users, orders, orderStates, invoices, notATable: 1, helper: () => 1 }

interface Database {
  users: {
    id: GeneratedAlways<number>
    email: string
    role: Generated<'admin' | 'member'>
    card_token: string | null
    created_at: ColumnType<Date, string | undefined, never>
  }
  orders: { id: Generated<number>; user_id: number; total_cents: number }
}

// Compiled, never run: every line that is marked must fail to compile.
async function ofDrizzle(): Promise<void> {
  type Tables = TablesOfDrizzle<typeof schema>
  expectTypeOf<keyof Tables>().toEqualTypeOf<'users' | 'orders' | 'order_states' | 'billing.invoices'>()
  const shop = defineFactories<Tables>({ naming: 'camel' })
    .define('user', 'users', {
      defaults: { email: sequence((n) => `user${n}@example.com`), cardToken: (user) => user.email },
      traits: { admin: { role: 'admin' } },
    })
    .define('order', 'orders', { defaults: { user: assoc('user', 'admin'), total: '1.00' } })
  const user = await shop.insert('user', 'admin', { preferences: { dark: true } })
  expectTypeOf(user.preferences).toEqualTypeOf<{ dark: boolean } | null>()
  expectTypeOf(user.id).toBeNumber()
  expectTypeOf((await shop.insert('order', { user, approver: user })).createdAt).toEqualTypeOf<Date>()
  await shop.insert('order', { orderState: { name: 'new' }, user: { email: '' } })
  await shop.insert('billing.invoices')

  // @ts-expect-error: a column's name in the database is not its key
  await shop.insert('user', { card_token: '' })
  // @ts-expect-error: not one of the enum
  await shop.insert('user', { role: 'boss' })
  // @ts-expect-error: what is no table
  await shop.insert('notATable')
  // @ts-expect-error: no such trait
  await shop.insert('order', { user: assoc('user', 'amdin') })
  // @ts-expect-error: no such attribute of the parent
  await shop.insert('order', { orderState: { nmae: '' } })
}

async function ofKysely(): Promise<void> {
  type Tables = TablesOfKysely<Database>
  expectTypeOf<Tables['users']['row']>().toEqualTypeOf<{
    id: number
    email: string
    role: 'admin' | 'member'
    card_token: string | null
    created_at: Date
  }>()
  const shop = defineFactories<Tables>().define('user', 'users', {
    defaults: { email: sequence((n) => `user${n}@example.com`), card_token: (user) => user.email },
  })
  const user = await shop.insert('user', { role: 'admin', created_at: '2024-01-01' })
  expectTypeOf((await shop.insert('orders', { user })).total_cents).toBeNumber()
  await shop.insert('orders', { user: { email: '' } })

  // @ts-expect-error: always generated
  await shop.insert('user', { id: 1 })
  // @ts-expect-error: the type of an insert
  await shop.insert('user', { created_at: new Date() })
  // @ts-expect-error: no such attribute
  await shop.insert('orders', { total: 1 })
}

test('the types of Drizzle and Kysely are tables', () => {
  expectTypeOf(ofDrizzle).toBeFunction()
  expectTypeOf(ofKysely).toBeFunction()
})
