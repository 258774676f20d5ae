import { expectTypeOf, test } from 'vitest'
import { assoc, defineFactories, sequence, shared } from '../index.ts'

interface Tables {
  users: {
    row: { id: number; email: string; role: 'admin' | 'member'; preferences: unknown; created_at: Date }
    insert: { email: string; role?: 'admin' | 'member'; preferences?: unknown; created_at?: Date }
    parents: object
  }
  products: { row: { id: number; name: string }; insert: { name: string } }
  orders: {
    row: { id: number; user_id: number; total_cents: number }
    insert: { user_id: number; total_cents: number }
    parents: { user: 'users' }
  }
  order_items: {
    row: { order_id: number; product_id: number; quantity: number }
    insert: { order_id: number; product_id: number; quantity: number }
    parents: { order: 'orders'; product: 'products' }
  }
}

const tables = defineFactories<Tables>()

const shop = tables
  .define('user', 'users', {
    params: { domain: 'example.com' },
    defaults: {
      email: sequence((n) => `user${n}@example.com`),
      preferences: (user) => ({ email: user.email, domain: user.domain }),
    },
    traits: { admin: { role: 'admin' }, any: { role: sequence(['admin', 'member']) }, org: { domain: 'example.org' } },
  })
  .define('order', 'orders', {
    params: { itemCount: 1 },
    defaults: { total_cents: (order, { params }) => order.itemCount + params.itemCount, user: assoc('user', 'admin') },
    traits: { big: { itemCount: 10, user: { email: 'ada@example.com' } } },
    afterInsert: async (order, { params, insertList }) => ({
      items: await insertList(params.itemCount, 'order_items', { order }),
    }),
  })
  .define('gift', 'order', { params: { note: '' }, defaults: { itemCount: 2 }, traits: { kind: { note: 'For you' } } })

// Compiled, never run: every line that is marked must fail to compile.
async function typed(): Promise<void> {
  const user = await shop.insert('user', 'admin', { email: 'ada@example.com' })
  expectTypeOf(user).toExtend<Tables['users']['row']>()
  expectTypeOf(user.role).toEqualTypeOf<'admin' | 'member'>()
  const gift = await shop.insert('gift', 'big', 'kind', { itemCount: 3, note: 'Hello', user })
  expectTypeOf(gift.total_cents).toBeNumber()
  expectTypeOf(gift.items[0]!.quantity).toBeNumber()
  expectTypeOf(await shop.insertList(3, 'order')).items.toHaveProperty('items')
  expectTypeOf(await shop.insertPair('products')).toHaveProperty('1')
  expectTypeOf(await shop.paramsFor('user')).toEqualTypeOf<Partial<Tables['users']['insert']>>()
  expectTypeOf((await shop.jsonFor('user')).created_at).toEqualTypeOf<string | undefined>()
  expectTypeOf((await shop.build('order')).total_cents).toBeNumber()
  expectTypeOf((await shop.insert(await shop.build('order'))).items).toBeArray()
  expectTypeOf((await tables.insert('orders', { user: { email: '' } })).user_id).toBeNumber()
  await shop.insert('order', { user: (order) => ({ email: `${order.total_cents}` }) })
  await shop.insert('order', { user: (order) => assoc('user', { email: `${order.total_cents}` }) })
  await shop.insert('order', { user: shared('user', 'admin') })
  await shop.insert('order_items', { order: assoc('gift', 'big', { itemCount: 1 }), quantity: sequence([1, 2]) })

  const silent = shop.define('silent', 'user', {
    afterInsert: async (row, { insert }) => {
      await insert('orders', { user: row })
    },
  })
  expectTypeOf(await silent.insert('silent')).toExtend<Tables['users']['row']>()
  expectTypeOf((await silent.insertPair('silent'))[0]!.email).toBeString()

  // @ts-expect-error: no such factory
  await shop.insert('odrer')
  // @ts-expect-error: no such factory
  await shop.insertList(3, 'odrer')
  // @ts-expect-error: no such trait
  await shop.insert('user', 'amdin')
  // @ts-expect-error: a trait of another factory
  await shop.insert('user', 'big')
  // @ts-expect-error: no such attribute
  await shop.insert('user', { emial: '' })
  // @ts-expect-error: no such attribute, behind a trait
  await shop.insert('user', 'admin', { emial: '' })
  // @ts-expect-error: a value of the wrong type
  await shop.insert('user', { email: 1 })
  // @ts-expect-error: not one of the enum
  await shop.insert('user', { role: 'boss' })
  // @ts-expect-error: what the database generates
  await shop.insert('user', { id: 1 })
  // @ts-expect-error: a param of the wrong type
  await shop.insert('order', { itemCount: 'x' })
  // @ts-expect-error: a param of another factory
  await shop.insert('order', { note: '' })
  // @ts-expect-error: no such parent
  await shop.insert('order', { usr: user })
  // @ts-expect-error: a parent’s attribute that is not there
  await shop.insert('order', { user: { emial: '' } })
  // @ts-expect-error: a row of another table
  await shop.insert('order_items', { order: user })
  // @ts-expect-error: no such factory
  await shop.insert('order', { user: assoc('usr') })
  // @ts-expect-error: a factory of another table
  await shop.insert('order', { user: assoc('order') })
  // @ts-expect-error: no such trait
  await shop.insert('order', { user: assoc('user', 'amdin') })
  // @ts-expect-error: no such attribute
  await shop.insert('order', { user: shared('user', { emial: '' }) })
  // @ts-expect-error: a lazy attribute of the wrong type
  await shop.insert('user', { email: () => 1 })
  // @ts-expect-error: a lazy attribute that reads what is not there
  await shop.insert('user', { email: (one) => one.nmae })
  // @ts-expect-error: a sequence of the wrong type
  await shop.insert('user', { email: sequence((n) => n) })
  // @ts-expect-error: what is in the database is not inserted
  await shop.insert(user)
  // @ts-expect-error: a row has no such column
  void gift.totl
  // @ts-expect-error: only what the hook returned
  void user.items

  // @ts-expect-error: no such table or factory
  shop.define('x', 'usres', {})
  // @ts-expect-error: no such part of a definition
  shop.define('x', 'users', { defalts: {} })
  // @ts-expect-error: no such attribute
  shop.define('x', 'users', { defaults: { emial: '' } })
  // @ts-expect-error: no such attribute in a trait
  shop.define('x', 'users', { traits: { a: { emial: '' } } })
  // @ts-expect-error: a trait’s value of the wrong type
  shop.define('x', 'users', { traits: { a: { role: 'boss' } } })
  // @ts-expect-error: no such factory in a default
  shop.define('x', 'orders', { defaults: { user: assoc('usr') } })
  // @ts-expect-error: no such trait in a default
  shop.define('x', 'orders', { defaults: { user: assoc('user', 'amdin') } })
  // @ts-expect-error: no such param
  shop.define('x', 'orders', { afterInsert: (_, { params }) => void params.itemCount })
  // @ts-expect-error: a hook that reads what is not there
  shop.define('x', 'orders', { afterInsert: (order) => void order.totl })
  // @ts-expect-error: a hook that inserts what is not there
  shop.define('x', 'orders', { afterInsert: (_, { insert }) => insert('odrer') })

  const loose = defineFactories().define('user', 'users', {
    params: { cards: 1 },
    defaults: {
      email: sequence((n) => `${n}`),
      name: (one, { params }) => `${String(one.email)} ${params.cards + one.cards}`,
    },
    traits: { admin: { role: 'admin' } },
  })
  const one = await loose.insert('user', 'admin', { cards: 2, anything: [], team: assoc('team', 'big', { size: 1 }) })
  expectTypeOf(one.id).toBeUnknown()
  await loose.insert('orders', { user: one, user_id: one.id, created: () => new Date() })
  // @ts-expect-error: what is written is checked
  await loose.insert('user', 'amdin')
  // @ts-expect-error: what is written is checked
  await loose.insert('user', { cards: 'x' })
}

test('names, attributes, traits, params and parents that are not there do not compile', () => {
  expectTypeOf(typed).toBeFunction()
})
