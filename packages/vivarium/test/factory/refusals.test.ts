import { expect, test } from 'vitest'
import { insert, insertList } from '../../src/factory/index.ts'
import { PostgresServerError } from '../../src/postgres/connection/server-error.ts'
import { inSandbox } from './in-sandbox.ts'
import { shapes } from './shapes.ts'
import { useMigrated } from './support.ts'

const vivarium = useMigrated(shapes)

/** What `fn` rejects with, its text no wider than a terminal. */
async function textOf(fn: () => Promise<unknown>): Promise<string> {
  const error = await inSandbox(vivarium, () => fn().catch((caught: unknown) => caught))
  const text = `VivariumError: ${(error as Error).message}`
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  return text.replace('VivariumError: ', '')
}

test('an unknown table: the nearest, and all', async () => {
  expect(await textOf(() => insert('odrer'))).toMatchInlineSnapshot(`
    "The database has no table "odrer".
      Seen: tables: archive.notes, billing.invoices, billing.notes, billing.users,
        addresses, cards, eggs, employees, guarded, hens, impossible, lookups,
        orders, products, seats, secret, shapeless, sizes, users
      What to do: Did you mean 'order'? A table is known by its name, in camelCase,
        or by its singular; one outside of the search path with its schema.
      (FACTORY_TABLE_UNKNOWN)"
  `)
})

test('a name that two tables go by', async () => {
  expect(await textOf(() => insert('note'))).toMatchInlineSnapshot(`
    "More than one table is called "note".
      Seen: archive.notes, billing.notes
      What to do: Say which one: 'archive.notes'.
      (FACTORY_TABLE_UNKNOWN)"
  `)
})

test('an unknown attribute: the nearest, and all', async () => {
  expect(await textOf(() => insert('user', { fullnam: 'Ada' }))).toMatchInlineSnapshot(`
    "users has no column 'fullnam', and no foreign key of that name.
      Seen: it has id, email, full_name, country_code, website_url, is_active,
        created_at
      What to do: Did you mean 'full_name'?
      (FACTORY_ATTRIBUTE_UNKNOWN)"
  `)
})

test('a value of the wrong type, before the server is asked', async () => {
  expect(await textOf(() => insert('order', { totalCents: 'a lot' }))).toMatchInlineSnapshot(`
    "orders.total_cents cannot be 'a lot'.
      Seen: a string; expected a whole number from -2147483648 to 2147483647
        (integer)
      What to do: Give 'total_cents' such a value, or leave it out: then one is
        made.
      (FACTORY_VALUE_REFUSED)"
  `)
})

test('a label that the enum does not have', async () => {
  expect(await textOf(() => insert('product', { size: 'huge' }))).toMatchInlineSnapshot(`
    "products.size cannot be 'huge'.
      Seen: a string; expected one of 'small', 'medium', 'large'
      What to do: Give 'size' such a value, or leave it out: then one is made.
      (FACTORY_VALUE_REFUSED)"
  `)
})

test('a text that is too long for its column', async () => {
  expect(await textOf(() => insert('product', { name: 'x'.repeat(21) }))).toMatchInlineSnapshot(`
    "products.name cannot be 'xxxxxxxxxxxxxxxxxxxxx'.
      Seen: a string; expected a text of at most 20 characters (character
        varying(20))
      What to do: Give 'name' such a value, or leave it out: then one is made.
      (FACTORY_VALUE_REFUSED)"
  `)
})

test('NULL where none may be', async () => {
  expect(await textOf(() => insert('user', { email: null }))).toMatchInlineSnapshot(`
    "users.email cannot be null.
      Seen: null; expected a value: the column is NOT NULL (text)
      What to do: Give 'email' such a value, or leave it out: then one is made.
      (FACTORY_VALUE_REFUSED)"
  `)
})

test('a row of another table as a parent', async () => {
  expect(await textOf(async () => insert('order', { user: await insert('product') }))).toMatchInlineSnapshot(`
    "orders.user cannot be a row of products.
      Seen: expected a row of users
      What to do: Give a row of users, or what one is to be given.
      (FACTORY_VALUE_REFUSED)"
  `)
})

test('a row that is in the database already', async () => {
  expect(await textOf(async () => insert('user', await insert('user')))).toMatchInlineSnapshot(`
    "The row given to insert('users') is in the database already.
      Seen: a row of users: id 1
      What to do: Use the row as it is; for another one like it, give what is to be
        the same: { name: row.name }.
      (FACTORY_ALREADY_INSERTED)"
  `)
})

test('tables that need each other', async () => {
  expect(await textOf(() => insert('hen'))).toMatchInlineSnapshot(`
    "A row of hens cannot be made: hens needs eggs needs hens, and
      none of them can be first.
      Seen: constraint laid_by: eggs (hen_id) → hens
      What to do: Give 'hen_id' of eggs, of a row that is there; or let the schema
        say one of the keys DEFERRABLE, or one of the columns NULL.
      (FACTORY_CYCLE)"
  `)
})

test('a unique key that is used up', async () => {
  expect(await textOf(() => insertList(4, 'size'))).toMatchInlineSnapshot(`
    "No further row of sizes can be made: the unique key sizes_pkey is
      used up.
      Seen: size: 3 values in all, each made once in this sandbox
      What to do: Make fewer rows, or give 'size'.
      (FACTORY_VALUES_USED_UP)"
  `)
})

test('a CHECK that cannot be read', async () => {
  expect(await textOf(() => insert('card'))).toMatchInlineSnapshot(`
    "A row of cards does not satisfy number_adds_up.
      Seen: CHECK luhn(number); Failing row contains (1, number 1).
      What to do: Factories cannot read this constraint. Give values that it admits:
        { number: … }.
      (FACTORY_ROW_REFUSED)"
  `)
})

test('a CHECK that nothing satisfies', async () => {
  expect(await textOf(() => insert('impossible'))).toMatchInlineSnapshot(`
    "No value could be made for impossible.amount (integer).
      Seen: never: CHECK ((amount > 5) AND (amount < 3))
      What to do: Give one that the constraint admits: { amount: … }.
      (FACTORY_VALUE_MISSING)"
  `)
})

test('a type of which nothing is known', async () => {
  expect(await textOf(() => insert('shapeless'))).toMatchInlineSnapshot(`
    "No value could be made for shapeless.snapshot: nothing is known
      of its type.
      Seen: pg_snapshot
      What to do: Give one: { snapshot: … }, as the text that Postgres reads.
      (FACTORY_VALUE_MISSING)"
  `)
})

test('a row that is not there as a parent', async () => {
  expect(await textOf(() => insert('order', { userId: 99 }))).toMatchInlineSnapshot(`
    "A row of orders refers to a row of users that is not there
      (orders_user_id_fkey).
      Seen: Key (user_id)=(99) is not present in table "users".
      What to do: Give a row of users that is there: { user: row }; or leave
        'user_id' out: then one is made.
      (FACTORY_ROW_REFUSED)"
  `)
})

test('a value that another row has', async () => {
  expect(await textOf(async () => insert('user', { email: (await insert('user'))['email'] }))).toMatchInlineSnapshot(`
    "users has such a row already: 'email' must be unique
      (users_email_key).
      Seen: Key (email)=(ada.abel.1@example.com) already exists.
      What to do: Give another 'email', or leave it out: then a new one is made.
      (FACTORY_ROW_REFUSED)"
  `)
})

test('a value that breaks a CHECK', async () => {
  expect(await textOf(() => insert('product', { priceCents: 0 }))).toMatchInlineSnapshot(`
    "A row of products does not satisfy products_price_cents_check.
      Seen: CHECK (price_cents > 0); Failing row contains (1, Product 1, 0, null).
      What to do: Give values that it admits: { price_cents: … }.
      (FACTORY_ROW_REFUSED)"
  `)
})

test('a trigger that raises', async () => {
  expect(await textOf(() => insert('guarded'))).toMatchInlineSnapshot(`
    "The database does not take the row of guarded: nobody may.
      Seen: SQLSTATE P0001
      What to do: A trigger says so: give what it asks for.
      (FACTORY_ROW_REFUSED)"
  `)
})

test('a policy that cannot be read', async () => {
  expect(await textOf(() => insert('secret', { owner: 'you' }))).toMatchInlineSnapshot(`
    "The policies of secret do not let the row in, for its owner
      either (FORCE ROW LEVEL SECURITY).
      Seen: only_mine: (owner = 'me'::text)
      What to do: Factories set what a policy compares a column with (tenant_id =
        current_setting('app.tenant')); give the columns of any other policy values
        that it admits.
      (FACTORY_ROW_REFUSED)"
  `)
})

test('no sandbox', async () => {
  await expect(insert('user')).rejects.toMatchObject({ code: 'NO_SANDBOX' })
})

test('the server’s own error is the cause', () =>
  inSandbox(vivarium, async () => {
    const error: unknown = await insert('guarded').catch((caught: unknown) => caught)
    expect((error as Error).cause).toBeInstanceOf(PostgresServerError)
  }))
