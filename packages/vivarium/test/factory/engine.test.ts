import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { createFactories } from '../../src/factory/create-factories.ts'
import { build, buildList, buildPair, insert, insertList, insertPair, paramsFor } from '../../src/factory/index.ts'
import { runInSandbox } from '../../src/vivarium/current-sandbox.ts'
import { isolations } from '../support/isolations.ts'
import { inSandbox } from './in-sandbox.ts'
import { shapes } from './shapes.ts'
import { useMigrated } from './support.ts'

const vivarium = useMigrated(shapes)

/** Runs statements as the application would. */
async function asApplication(url: string, ...texts: readonly string[]): Promise<pg.QueryResult> {
  const client = new pg.Client(url)
  await client.connect()
  let result: pg.QueryResult | undefined
  for (const text of texts) result = await client.query(text)
  await client.end()
  return result as pg.QueryResult
}

describe.each(isolations)('in isolation %s', (isolation) => {
  const inOne: typeof inSandbox = (opened, fn, options) => inSandbox(opened, fn, { isolation, ...options })

  test('a row comes with all that it needs, as the database holds it, defaults and generated columns included', () =>
    inOne(vivarium, async () => {
      expect(await insert('order', { totalCents: 250 })).toMatchInlineSnapshot(`
        {
          "address_id": "949b51e3-0000-4000-8000-000000000001",
          "approved_by": null,
          "details": {},
          "id": 1,
          "product_id": 1,
          "total": "2",
          "total_cents": 250,
          "user_id": 1,
        }
      `)
      expect(await insert('user')).toMatchInlineSnapshot(`
        {
          "country_code": "BR",
          "created_at": 2024-01-01T00:00:00.000Z,
          "email": "bruno.bianchi.2@example.com",
          "full_name": "Bruno Bianchi",
          "id": 2,
          "is_active": true,
          "website_url": "https://example.com/users/2",
        }
      `)
    }))

  test('a list is one statement for each table, and each row has parents of its own', () =>
    inOne(vivarium, async (sandbox) => {
      const orders = await insertList(500, 'orders')
      expect(new Set(orders.map(({ user_id }) => user_id)).size).toBe(500)
      const texts = inserts(sandbox)
      expect(texts).toHaveLength(4)
      expect(texts.filter((text) => text.includes('"orders"'))).toHaveLength(1)
    }))

  test('nested sandboxes go on counting from their outer one, and leave it as it was', () =>
    inOne(vivarium, async (file) => {
      const first = await insert('product')
      const inner = async (): Promise<unknown> => {
        const nested = await vivarium.openSandbox({ isolation, within: file })
        const row = await insert('product')
        await nested.close()
        return row['name']
      }
      expect([first['name'], await inner(), await inner()]).toEqual(['Product 1', 'Product 2', 'Product 2'])
    }))

  test('sandboxes at once each have their own rows and counters', async () => {
    const sandboxes = await Promise.all(
      ['a', 'b', 'c'].map((title) => vivarium.openSandbox({ title, isolation, concurrent: true })),
    )
    const rows = await Promise.all(
      sandboxes.map((sandbox) => runInSandbox(sandbox, () => insertList(20, 'orders', { totalCents: 1 }))),
    )
    expect(rows[1]).toEqual(rows[0])
    expect(rows[2]).toEqual(rows[0])
    for (const sandbox of sandboxes) await sandbox.close()
  })

  test('the application sees the rows, also while it has a transaction open', () =>
    inOne(vivarium, async (sandbox) => {
      const client = new pg.Client(sandbox.postgres.url)
      await client.connect()
      await client.query('begin')
      await client.query("insert into lookups values (900, 'of the application')")
      const { email } = await insert('user')
      const { rows } = await client.query('select email from users')
      expect(rows).toEqual([{ email }])
      await client.query('commit')
      await client.end()
    }))

  test('what a factory runs is no interaction of the application', () =>
    inOne(vivarium, async (sandbox) => {
      const seen = await sandbox.observe(async () => {
        await insertPair('order')
        await asApplication(sandbox.postgres.url, 'select count(*) from orders')
      })
      expect(seen.queries.map(({ text }) => text)).toEqual(['select count(*) from orders'])
    }))

  test('tables that the test itself makes or changes are known', () =>
    inOne(vivarium, async (sandbox) => {
      await insert('user')
      await asApplication(
        sandbox.postgres.url,
        'create table toys (id serial primary key, name text not null)',
        'alter table users add column nickname text not null default $$none$$',
      )
      expect(await insert('toy')).toMatchObject({ id: 1, name: 'Toy 1' })
      expect(await insert('user', { nickname: 'ada' })).toMatchObject({ nickname: 'ada' })
    }))

  test('values that somebody else has taken are not made', () =>
    inOne(vivarium, async (sandbox) => {
      expect(await insertPair('lookup')).toMatchObject([{ id: 4 }, { id: 5 }])
      await asApplication(
        sandbox.postgres.url,
        "insert into users (email, full_name, country_code, website_url) values ('ada.abel.1@example.com', '', '', '')",
      )
      expect(await insert('user')).not.toMatchObject({ email: 'ada.abel.1@example.com' })
    }))

  test('a row that is refused leaves nothing of its parents', () =>
    inOne(vivarium, async (sandbox) => {
      await expect(insert('order', { userId: 99_999 })).rejects.toMatchObject({ code: 'FACTORY_ROW_REFUSED' })
      await expect(insertList(3, 'order', { userId: 99_999 })).rejects.toMatchObject({ code: 'FACTORY_ROW_REFUSED' })
      const { rows } = await asApplication(sandbox.postgres.url, 'select id from products')
      expect(rows).toEqual([])
    }))
})

/** What a factory sent, in order. */
function inserts(sandbox: object): readonly string[] {
  const { recorder } = sandbox as {
    readonly recorder: { readonly ownStatements: readonly { readonly text: string }[] }
  }
  return recorder.ownStatements.map(({ text }) => text).filter((text) => text.startsWith('INSERT'))
}

describe('what is asked for', () => {
  test('a table is known by its name, in camelCase, by its singular, and with its schema', () =>
    inSandbox(vivarium, async () => {
      for (const name of ['orders', 'order', 'public.orders']) expect(await insert(name)).toHaveProperty('total_cents')
      expect(await insert('billing.invoices')).toHaveProperty('due')
      expect(await insert('invoice')).toHaveProperty('order_id')
      expect(await insert('user')).toHaveProperty('email')
      expect(Object.keys(await insert('billing.users'))).toEqual(['id'])
    }))

  test('a list of none and of two are lists', () =>
    inSandbox(vivarium, async (sandbox) => {
      expect(await insertList(0, 'order')).toEqual([])
      expect(inserts(sandbox)).toEqual([])
      expect(await insertPair('product')).toMatchObject([{ id: 1 }, { id: 2 }])
      expect(await buildPair('product')).toHaveLength(2)
      expect(await buildList(3, 'product')).toHaveLength(3)
    }))

  test('attributes override; a parent that is given is not built in vain', () =>
    inSandbox(vivarium, async (sandbox) => {
      const ada = await insert('user', { email: 'ada@example.com' })
      const [first, second] = await insertPair('order', { user: ada, product: { name: 'Lamp' } })
      expect([first['user_id'], second['user_id']]).toEqual([ada['id'], ada['id']])
      expect(first['product_id']).not.toBe(second['product_id'])
      const { rows } = await asApplication(
        sandbox.postgres.url,
        'select (select count(*)::int from users) users, array_agg(name) names from products',
      )
      expect(rows).toEqual([{ users: 1, names: ['Lamp', 'Lamp'] }])
    }))

  test('a foreign key that may be NULL stays NULL unless it is asked for', () =>
    inSandbox(vivarium, async () => {
      expect(await insert('order')).toMatchObject({ approved_by: null })
      const order = await insert('order', { approved_by: (await insert('user'))['id'] })
      expect(order['approved_by']).not.toBeNull()
    }))

  test('a row that must refer to itself, where nothing else can be first, does', () =>
    inSandbox(vivarium, async () => {
      const root = await insert('employee')
      expect(root['boss_id']).toBe(root['id'])
      const below = await insert('employee', { boss: root })
      expect(below['boss_id']).toBe(root['id'])
    }))

  test('what is built is not inserted, has its parents within, and can be inserted', () =>
    inSandbox(vivarium, async (sandbox) => {
      const order = await build('order', { totalCents: 7 })
      expect(order).toMatchObject({ total_cents: 7, user: { full_name: 'Ada Abel' }, product: { price_cents: 1 } })
      expect(inserts(sandbox)).toEqual([])
      expect(await insert('order', order)).toMatchObject({ total_cents: 7, id: 1 })
    }))

  test('params are what a form would say', () =>
    inSandbox(vivarium, async () => {
      expect(await paramsFor('order', { totalCents: 7, approvedBy: null })).toEqual({ total_cents: 7 })
      expect(await paramsFor('user')).toEqual({
        email: 'bruno.bianchi.2@example.com',
        full_name: 'Bruno Bianchi',
        country_code: 'BR',
        website_url: 'https://example.com/users/2',
      })
    }))

  test('columns can be named in camelCase', () =>
    inSandbox(vivarium, async () => {
      const camel = createFactories({ naming: 'camel' })
      const order = await camel.insert('order', { total_cents: 7 })
      expect(order).toMatchObject({ totalCents: 7, userId: 1 })
      expect(await camel.build('order')).toMatchObject({ user: { fullName: 'Bruno Bianchi' } })
    }))

  test('the same test sees the same rows, whatever ran before it', async () => {
    const once = (): Promise<unknown> => inSandbox(vivarium, () => insertList(30, 'billing.invoices'))
    const first = await once()
    await inSandbox(vivarium, () => insertList(7, 'order'))
    expect(await once()).toEqual(first)
  })

  test('a unique key with few values is gone through, for each parent anew', () =>
    inSandbox(vivarium, async () => {
      expect((await insertList(3, 'size')).map(({ size }) => size)).toEqual(['small', 'medium', 'large'])
      const product = await insert('product')
      const seats = await insertList(4, 'seat', { product })
      expect(new Set(seats.map(({ row_letter, is_window }) => `${String(row_letter)} ${String(is_window)}`)).size).toBe(
        4,
      )
      expect(await insertList(4, 'seat', { product: await insert('product') })).toHaveLength(4)
    }))
})
