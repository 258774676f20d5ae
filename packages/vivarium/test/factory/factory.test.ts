import { describe, expect, test } from 'vitest'
import { insert, insertList } from '../../src/factory/index.ts'
import { isolations } from '../support/isolations.ts'
import { useMigrated } from './support.ts'

const vivarium = useMigrated(`
CREATE TABLE users (id bigserial PRIMARY KEY, email text NOT NULL UNIQUE, name text NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE products (id serial PRIMARY KEY, name text NOT NULL, price_cents integer NOT NULL);
CREATE TABLE addresses (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id bigint NOT NULL REFERENCES users, city text NOT NULL);
CREATE TABLE orders (id bigserial PRIMARY KEY, user_id bigint NOT NULL REFERENCES users, product_id integer NOT NULL REFERENCES products,
  address_id uuid NOT NULL REFERENCES addresses, total_cents integer NOT NULL, paid boolean NOT NULL DEFAULT false,
  total numeric GENERATED ALWAYS AS (total_cents / 100.0) STORED);
`)

describe.each(isolations)('in isolation %s', (isolation) => {
  test('one row comes with all that it needs, as the database holds it', async () => {
    await using sandbox = await vivarium.openSandbox({ isolation })
    const order = await insert('order', { totalCents: 100 })
    expect(order).toMatchInlineSnapshot(`
      {
        "address_id": "949b51e3-0000-4000-8000-000000000001",
        "id": 1,
        "paid": false,
        "product_id": 1,
        "total": "1.00000000000000000000",
        "total_cents": 100,
        "user_id": 2,
      }
    `)
    const users = await insertList(500, 'users')
    expect(users).toHaveLength(500)
    expect(sandbox.queries).toHaveLength(0)
  })
})
