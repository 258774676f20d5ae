import { describe, expect, test } from 'vitest'
import { assoc, defineFactories, sequence, shared } from '../../src/factory/index.ts'
import { runInSandbox } from '../../src/vivarium/current-sandbox.ts'
import { inSandbox } from './in-sandbox.ts'
import { shopSchema } from './shop-schema.ts'
import type { Tables } from './shop-tables.ts'
import { useMigrated } from './support.ts'

const vivarium = useMigrated(shopSchema)

const tables = defineFactories<Tables>()

const shop = tables
  .define('user', 'users', {
    defaults: { email: sequence((n) => `user${n}@example.com`), name: 'Ada' },
    traits: { admin: { role: 'admin' }, grace: { name: 'Grace' } },
  })
  .define('order', 'orders', {
    params: { itemCount: 0 },
    defaults: { total_cents: (_, { params }) => params.itemCount * 100 },
    traits: { big: { itemCount: 3 } },
    afterInsert: async (order, { params, insertList }) => ({
      items: await insertList(params.itemCount, 'order_items', { order, quantity: 1, unit_price_cents: 100 }),
    }),
  })
  .define('paidOrder', 'order', { defaults: { status: 'paid' }, traits: { byAdmin: { user: assoc('user', 'admin') } } })

/** What a test of a sandbox is told, by code. */
function codeOf(code: string): object {
  return expect.objectContaining({ code })
}

/** How many users there were: the next one's id tells, also of those that were inserted in vain. */
async function usersSoFar(): Promise<number> {
  return (await tables.insert('users')).id - 1
}

describe('what is written', () => {
  test('defaults go over what the table says, traits over defaults, attributes over traits, later over earlier', () =>
    inSandbox(vivarium, async () => {
      expect(await shop.insert('user')).toMatchObject({ name: 'Ada', role: 'member' })
      expect(await shop.insert('user', 'admin')).toMatchObject({ name: 'Ada', role: 'admin' })
      expect(await shop.insert('user', 'admin', 'grace')).toMatchObject({ name: 'Grace', role: 'admin' })
      expect(await shop.insert('user', 'grace', { name: 'Alan' })).toMatchObject({ name: 'Alan' })
      expect(await shop.insert('user', { name: 'Alan' }, 'grace')).toMatchObject({ name: 'Grace' })
    }))

  test('what is undefined says nothing, null is a value', () =>
    inSandbox(vivarium, async () => {
      const cards = shop.define('cardHolder', 'user', { defaults: { card_token: 'tok_visa' } })

      expect(await cards.insert('cardHolder', { card_token: undefined })).toMatchObject({ card_token: 'tok_visa' })
      expect(await cards.insert('cardHolder', { card_token: null })).toMatchObject({ card_token: null })
    }))

  test('a factory that stands on another has everything of it, and adds its own', () =>
    inSandbox(vivarium, async () => {
      expect(await shop.insert('paidOrder', 'big')).toMatchObject({
        status: 'paid',
        total_cents: 300,
        items: [{ quantity: 1 }, { quantity: 1 }, { quantity: 1 }],
      })
    }))

  test('a trait of both goes through both, the lower one first', () =>
    inSandbox(vivarium, async () => {
      const more = shop.define('boss', 'user', {
        traits: { admin: { role: 'member', name: 'Boss' }, grace: { card_token: 'x' } },
      })

      expect(await more.insert('boss', 'admin')).toMatchObject({ role: 'member', name: 'Boss' })
      expect(await more.insert('boss', 'grace')).toMatchObject({ name: 'Grace', card_token: 'x' })
    }))

  test('a collection does not change: define and with make others', () =>
    inSandbox(vivarium, async () => {
      const german = shop.define('user', 'user', { defaults: { name: 'Emmy' } })

      expect(await german.insert('user')).toMatchObject({ name: 'Emmy', email: 'user1@example.com' })
      expect(await shop.insert('user')).toMatchObject({ name: 'Ada', email: 'user2@example.com' })
      // By name, others find the one that took its place.
      const order = await german.build('order', { user: assoc('user') })
      expect(order).toMatchObject({ user: { name: 'Emmy' } })
    }))

  test('two collections become one; two factories of one name do not', () =>
    inSandbox(vivarium, async () => {
      const products = tables.define('teapot', 'products', { defaults: { name: 'Teapot' } })
      const both = shop.with(products)

      expect(await both.insert('teapot')).toMatchObject({ name: 'Teapot' })
      expect(await both.insert('user')).toMatchObject({ name: 'Ada' })
      expect(() => both.with(shop)).not.toThrow()
      expect(() => both.with(tables.define('user', 'users', {}))).toThrow(codeOf('FACTORY_DEFINITION_INVALID'))
    }))
})

describe('sequences', () => {
  test('count for their sandbox, and go on from where the one around it stands', async () => {
    const emails = async (): Promise<string[]> => (await shop.buildPair('user')).map(({ email }) => email)
    const first = ['user1@example.com', 'user2@example.com']
    await inSandbox(vivarium, async () => expect(await emails()).toEqual(first))
    await inSandbox(vivarium, async (around) => {
      expect(await emails()).toEqual(first)
      const next = ['user3@example.com', 'user4@example.com']
      await inSandbox(vivarium, async () => expect(await emails()).toEqual(next), { within: around })
      await inSandbox(vivarium, async () => expect(await emails()).toEqual(next), { within: around })
      expect(await emails()).toEqual(next)
    })
  })

  test('start anywhere, go through a list again and again, and begin again', () =>
    inSandbox(vivarium, async () => {
      const name = sequence((n) => `n${n}`, { start: 100 })
      const role = sequence(['admin', 'member'])
      const some = shop.define('some', 'user', { defaults: { name, role } })

      const users = await some.buildList(3, 'some')
      expect(users.map((user) => user.name)).toEqual(['n100', 'n101', 'n102'])
      expect(users.map((user) => user.role)).toEqual(['admin', 'member', 'admin'])
      name.reset()
      expect(name.next()).toBe('n100')
      name.reset(7)
      expect((await some.build('some')).name).toBe('n7')
    }))

  test('two sandboxes at once count apart', async () => {
    await using one = await vivarium.openSandbox({ concurrent: true })
    await using other = await vivarium.openSandbox({ concurrent: true })
    const insert = async (): Promise<string> => (await shop.insert('user')).email

    const emails = await Promise.all([one, other, one, other].map((sandbox) => runInSandbox(sandbox, insert)))

    expect(emails).toEqual(['user1@example.com', 'user1@example.com', 'user2@example.com', 'user2@example.com'])
  })
})

describe('lazy attributes', () => {
  test('are worked out of the row, what was made included, once for each row', () =>
    inSandbox(vivarium, async () => {
      let calls = 0
      const lazy = tables.define('user', 'users', {
        params: { domain: 'example.com' },
        defaults: {
          name: (user) => user.email.toUpperCase(),
          card_token: (user) => `${user.name}|${user.name}`,
          email: (_, { params, index }) => `${++calls}.${index}@${params.domain}`,
        },
      })

      expect(await lazy.buildPair('user', { domain: 'x.org' })).toMatchObject([
        { email: '1.0@x.org', name: '1.0@X.ORG', card_token: '1.0@X.ORG|1.0@X.ORG' },
        { email: '2.1@x.org' },
      ])
      // The name is nobody's word here: the table's own value is seen.
      const seen = await tables.build('users', { card_token: (user) => user.name })
      expect(seen.card_token).toBe(seen.name)
      expect(seen.name).not.toBe('')
    }))

  test('see the row’s parent, and may be what makes it; those of a nested row see that one', () =>
    inSandbox(vivarium, async () => {
      const order = await shop.build('order', {
        status: (row) => row.user.name,
        user: { name: (user) => user.email, email: 'ada@example.com' },
        approver: (row) => ({ name: `Not ${row.user.name}` }),
      })

      expect(order).toMatchObject({
        status: 'ada@example.com',
        user: { name: 'ada@example.com' },
        approver: { name: 'Not ada@example.com' },
      })
    }))

  test('may give one parent to two keys', () =>
    inSandbox(vivarium, async () => {
      const order = await shop.insert('order', { approver: (row) => row.user })

      expect(order.approver_id).toBe(order.user_id)
    }))

  test('that need each other are told as a path', () =>
    inSandbox(vivarium, async () => {
      const made = shop.build('user', { name: (user) => user.email, email: (user) => user.name })

      await expect(made).rejects.toThrow(/user\.(\w+) → user\.\w+ → user\.\1/)
      await expect(made).rejects.toMatchObject({ code: 'FACTORY_CYCLE' })
    }))

  test('are not promises, and do not read a key that only the database knows', () =>
    inSandbox(vivarium, async () => {
      const promise = Promise.resolve('Ada') as unknown as string
      const promised = shop.insert('user', { name: () => promise })
      await expect(promised).rejects.toMatchObject({ code: 'FACTORY_VALUE_REFUSED' })
      await expect(promised).rejects.toThrow("'name' of user is a promise")
      const early = shop.insert('order', { user: {}, status: (row) => String(row.user_id) })
      await expect(early).rejects.toMatchObject({ code: 'FACTORY_VALUE_MISSING' })
      const user = await shop.insert('user')
      expect(
        await shop.insert('order', { user, status: (row) => (row.user_id === user.id ? 'paid' : 'pending') }),
      ).toMatchObject({
        status: 'paid',
      })
    }))
})

describe('parents', () => {
  test('are given by key, as a row, by attributes, by a factory’s name with traits, or as none', () =>
    inSandbox(vivarium, async () => {
      const ada = await shop.insert('user')

      expect(await shop.insert('order', { user_id: ada.id })).toMatchObject({ user_id: ada.id })
      expect(await shop.insert('order', { user: ada, approver: ada })).toMatchObject({
        user_id: ada.id,
        approver_id: ada.id,
      })
      const approved = shop.define('approved', 'order', { defaults: { approver: assoc('user') } })
      expect(await approved.insert('approved')).toMatchObject({ approver_id: expect.any(Number) })
      expect(await approved.insert('approved', { approver: null })).toMatchObject({ approver_id: null })
      expect(await shop.build('order', { user: { name: 'Alan' } })).toMatchObject({
        user: { name: 'Alan', email: expect.any(String) },
      })
      expect(await shop.build('order', { user: assoc('user', 'admin', { name: 'Alan' }) })).toMatchObject({
        user: { role: 'admin', name: 'Alan' },
      })
    }))

  test('of which nothing is said are made by the factory that was written first for their table', () =>
    inSandbox(vivarium, async () => {
      expect(await shop.build('order_items')).toMatchObject({
        order: { total_cents: 0, user: { email: 'user1@example.com' } },
      })
    }))

  test('that are overridden are not made in vain', () =>
    inSandbox(vivarium, async () => {
      const ada = await shop.insert('user')
      await shop.insert('paidOrder', 'byAdmin', { user: ada })
      await shop.insert('paidOrder', 'byAdmin', { user_id: ada.id })

      expect(await usersSoFar()).toBe(1)
    }))

  test('are one for each row of a list, unless it is said that they share one', () =>
    inSandbox(vivarium, async () => {
      const ada = await shop.insert('user')
      const usersOf = async (orders: Promise<{ user_id: number }[]>): Promise<number> =>
        new Set((await orders).map(({ user_id }) => user_id)).size

      expect(await usersOf(shop.insertList(3, 'order'))).toBe(3)
      expect(await usersOf(shop.insertList(3, 'order', { user: { name: 'Alan' } }))).toBe(3)
      expect(await usersOf(shop.insertList(3, 'order', { user: assoc('user') }))).toBe(3)
      expect(await usersOf(shop.insertList(3, 'order', { user: shared('user', 'admin') }))).toBe(1)
      expect(await usersOf(shop.insertList(3, 'order', { user: ada }))).toBe(1)
      expect(await usersOf(shop.insertList(3, 'order', { user: await shop.build('user') }))).toBe(1)
    }))

  test('that need each other by their defaults are told as a path', () =>
    inSandbox(vivarium, async () => {
      const circle = defineFactories()
        .define('user', 'users', {})
        .define('order', 'orders', { defaults: { user: assoc('user') } })
        .define('item', 'order_items', { defaults: { order: assoc('order') } })
        .define('order', 'orders', { defaults: { approver: assoc('user'), user: () => assoc('user') } })
      const parts = defineFactories().define('node', 'nodes', { defaults: { parent: assoc('node') } })

      expect(await circle.insert('item')).toMatchObject({ quantity: expect.any(Number) })
      await expect(parts.insert('node')).rejects.toMatchObject({ code: 'FACTORY_CYCLE' })
      await expect(parts.insert('node')).rejects.toThrow(/node\.parent →\s+node\.parent/)
      expect(await parts.build('node', { parent: { parent: null } })).toMatchObject({ parent: {} })
    }))

  test('are rows of the right table', () =>
    inSandbox(vivarium, async () => {
      const product = await shop.insert('products')
      const loose = defineFactories()

      await expect(loose.insert('orders', { user: product })).rejects.toMatchObject({ code: 'FACTORY_VALUE_REFUSED' })
      await expect(loose.insert('orders', { user: assoc('products') })).rejects.toThrow('a row of products')
      await expect(loose.insert('orders', { user: 7 })).rejects.toMatchObject({ code: 'FACTORY_VALUE_REFUSED' })
    }))
})

describe('strategies', () => {
  test('build inserts nothing and takes no numbers from the database', () =>
    inSandbox(vivarium, async () => {
      const order = await shop.build('paidOrder', 'byAdmin')

      expect(order).toEqual({
        status: 'paid',
        total_cents: 0,
        user: { email: 'user1@example.com', name: 'Ada', role: 'admin' },
      })
      expect(await usersSoFar()).toBe(0)
    }))

  test('what was built may be changed, and is inserted once', () =>
    inSandbox(vivarium, async () => {
      const built = await shop.build('order', 'big')
      built.status = 'paid'

      const order = await shop.insert(built)

      expect(order).toMatchObject({ id: 1, status: 'paid', total_cents: 300, items: { length: 3 } })
      await expect(shop.insert(built)).rejects.toMatchObject({ code: 'FACTORY_ALREADY_INSERTED' })
      await expect(shop.insert('order', { user: order as never })).rejects.toMatchObject({
        code: 'FACTORY_VALUE_REFUSED',
      })
    }))

  test('what is in the database is not inserted again, and the row is shown', () =>
    inSandbox(vivarium, async () => {
      const ada = await shop.insert('user')

      await expect(shop.insert(ada as never)).rejects.toMatchObject({ code: 'FACTORY_ALREADY_INSERTED' })
      await expect(shop.insert(ada as never)).rejects.toThrow('users')
      await expect(shop.insert({ ...ada } as never)).rejects.toMatchObject({ code: 'FACTORY_DEFINITION_INVALID' })
    }))

  test('paramsFor has what a client would send, jsonFor has it as JSON', () =>
    inSandbox(vivarium, async () => {
      const ada = await shop.insert('user')

      expect(await shop.paramsFor('user', 'admin')).toEqual({ email: 'user2@example.com', name: 'Ada', role: 'admin' })
      expect(await shop.paramsFor('order', { user: { name: 'Alan' } })).toEqual({ total_cents: 0 })
      expect(await shop.paramsFor('order', { user: ada })).toEqual({ total_cents: 0, user_id: ada.id })
      expect(await shop.jsonFor('order', { created_at: new Date(0) })).toEqual({
        total_cents: 0,
        created_at: '1970-01-01T00:00:00.000Z',
      })
      expect(await shop.jsonFor('user', { preferences: { since: new Date(0), count: 10n } })).toMatchObject({
        preferences: { since: '1970-01-01T00:00:00.000Z', count: '10' },
      })
    }))

  test('lists and pairs: each row of its own, and none of 0', () =>
    inSandbox(vivarium, async () => {
      expect((await shop.insertList(3, 'user', 'admin')).map(({ email }) => email)).toEqual([
        'user1@example.com',
        'user2@example.com',
        'user3@example.com',
      ])
      expect(await shop.insertList(0, 'user')).toEqual([])
      expect(await shop.buildList(0, 'user')).toEqual([])
      expect(await shop.insertPair('user')).toHaveLength(2)
      expect(await shop.buildPair('user')).toHaveLength(2)
      await expect(shop.insertList(-1, 'user')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
      await expect(shop.buildList(1.5, 'user')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    }))
})

describe('hooks', () => {
  test('afterBuild may change what is built and what is inserted, that of the base first', () =>
    inSandbox(vivarium, async () => {
      const hooked = shop
        .define('user', 'user', { afterBuild: (user) => void (user.name += '!') })
        .define('loud', 'user', {
          params: { mark: '?' },
          afterBuild: (user, { params }) => void (user.name += params.mark),
        })

      expect(await hooked.build('loud')).toMatchObject({ name: 'Ada!?' })
      expect(await hooked.insert('loud', { mark: '…' })).toMatchObject({ name: 'Ada!…' })
      const order = await hooked.insert('order')
      expect(await hooked.build('order', { user: assoc('loud') })).toMatchObject({ user: { name: 'Ada!?' } })
      expect(order.user_id).toBe(2)
    }))

  test('afterInsert is told of the row, the base’s first, and what it returns is added to it', () =>
    inSandbox(vivarium, async () => {
      const told: string[] = []
      const hooked = shop
        .define('user', 'user', { afterInsert: (user) => void told.push(`user ${user.id}`) })
        .define('order', 'order', { afterInsert: async (order) => ({ count: told.push(`order of ${order.user_id}`) }) })

      const order = await hooked.insert('order', 'big')

      expect(told).toEqual(['user 1', 'order of 1'])
      expect(order.count).toBe(2)
      expect(order.items).toHaveLength(3)
    }))

  test('a hook and its row stand or fall together', () =>
    inSandbox(vivarium, async () => {
      const failing = shop.define('user', 'user', {
        afterInsert: async (user, { insert }) => {
          await insert('orders', { user })
          throw new Error('not this one')
        },
      })
      await expect(failing.insert('user')).rejects.toThrow('not this one')
      await expect(tables.insert('orders', { user_id: 1 })).rejects.toMatchObject({ code: 'FACTORY_ROW_REFUSED' })
    }))

  test('what is inserted at once is not mixed with a hook’s transaction', () =>
    inSandbox(vivarium, async () => {
      const failing = shop.define('user', 'user', {
        afterInsert: async (_, { insert }) => {
          await insert('products')
          throw new Error('not this one')
        },
      })
      const [failed, ...stayed] = await Promise.allSettled([
        failing.insert('user'),
        shop.insert('user'),
        shop.insert('order', 'big'),
        shop.insert('products'),
      ])

      expect(failed.status).toBe('rejected')
      expect(stayed.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])
      const [user] = stayed
      if (user?.status !== 'fulfilled') throw new Error('not inserted')
      await tables.insert('orders', { user_id: (user.value as { id: number }).id })
    }))
})

describe('what is not there', () => {
  test('an unknown factory is refused, with the nearest and all that are known', () =>
    inSandbox(vivarium, async () => {
      const loose = defineFactories().define('user', 'users', {})

      await expect(loose.insert('usr')).rejects.toMatchObject({ code: 'FACTORY_UNKNOWN' })
      await expect(loose.insert('usr')).rejects.toThrow(/Did you mean 'user'\?/)
      await expect(loose.insert('zzzzzzzz')).rejects.toThrow(/factories: user; tables: .*order_items/s)
      await expect(loose.define('x', 'nothing', {}).insert('x')).rejects.toMatchObject({
        code: 'FACTORY_TABLE_UNKNOWN',
      })
    }))

  test('an unknown trait or attribute is refused by name, wherever it is written', () =>
    inSandbox(vivarium, async () => {
      const loose = defineFactories().define('user', 'users', {
        params: { cards: 1 },
        traits: { admin: { role: 'admin' }, broken: { emial: '' } },
      })

      const trait = loose.insert('user', 'admni' as never)
      await expect(trait).rejects.toMatchObject({ code: 'FACTORY_TRAIT_UNKNOWN' })
      await expect(trait).rejects.toThrow(/Did you mean 'admin'\?/)
      await expect(loose.insert('user', { emial: '' })).rejects.toMatchObject({ code: 'FACTORY_ATTRIBUTE_UNKNOWN' })
      await expect(loose.insert('user', 'broken')).rejects.toThrow(/'emial'.*trait 'broken'.*Did you mean 'email'\?/s)
      await expect(loose.insert('user', { crads: 1 })).rejects.toThrow(/Did you mean 'cards'\?/)
      await expect(loose.insert('user', { name: (user: { nmae: string }) => user.nmae })).rejects.toThrow(
        /Did you mean 'name'\?/,
      )
    }))

  test('an unknown part of a definition is refused', () => {
    const wrong = { defalts: {} } as object
    expect(() => shop.define('x', 'users', wrong)).toThrow(/Did you mean 'defaults'\?/)
  })

  test('a param that has the name of a column is refused', () =>
    inSandbox(vivarium, async () => {
      const loose = defineFactories().define('user', 'users', { params: { name: 'Ada' } })

      await expect(loose.insert('user')).rejects.toMatchObject({ code: 'FACTORY_DEFINITION_INVALID' })
      await expect(loose.insert('user')).rejects.toThrow("a param 'name'")
    }))

  test('without a sandbox every verb is refused', async () => {
    await expect(shop.insert('user')).rejects.toMatchObject({ code: 'NO_SANDBOX' })
    await expect(shop.build('user')).rejects.toMatchObject({ code: 'NO_SANDBOX' })
  })
})

test('columns in camelCase, of what is given and of what comes back', () =>
  inSandbox(vivarium, async () => {
    const camel = defineFactories({ naming: 'camel' }).define('order', 'orders', {
      defaults: { totalCents: (order: { createdAt?: unknown }) => (order.createdAt === undefined ? 1 : 2) },
    })

    expect(await camel.insert('order')).toMatchObject({ id: 1, userId: 1, totalCents: 1, createdAt: expect.any(Date) })
    expect(await camel.paramsFor('order')).toEqual({ totalCents: 1 })
  }))

describe('keys of two columns', () => {
  const tenants = useMigrated(`
    CREATE TABLE tenants (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
    CREATE TABLE members (tenant_id integer NOT NULL REFERENCES tenants, id integer NOT NULL, PRIMARY KEY (tenant_id, id));
    CREATE TABLE notes (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id integer NOT NULL REFERENCES tenants,
      author_id integer NOT NULL, FOREIGN KEY (tenant_id, author_id) REFERENCES members (tenant_id, id));
  `)

  test('a shared parent is one also where a key has a column in common with another', () =>
    inSandbox(tenants, async () => {
      const loose = defineFactories()
      const tenant = await loose.insert('tenants')

      const notes = await loose.insertList(3, 'notes', { tenant, author: shared('members') })
      const others = await loose.insertList(2, 'notes', { tenant: shared('tenants'), author: shared('members') })

      expect(new Set(notes.map((note) => note['author_id'])).size).toBe(1)
      expect(others[1]).toMatchObject({ tenant_id: others[0]?.['tenant_id'], author_id: others[0]?.['author_id'] })
    }))
})
