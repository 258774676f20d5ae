/** A small shop: a deferred rule that an order's items add up, an enum, an identity, a key of two columns. */
export const shopSchema = `
CREATE TYPE role AS ENUM ('admin', 'member');
CREATE TABLE users (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email text NOT NULL UNIQUE,
  name text NOT NULL,
  role role NOT NULL DEFAULT 'member',
  card_token text,
  preferences jsonb,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE products (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  price_cents integer NOT NULL CHECK (price_cents > 0)
);
CREATE TABLE orders (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id integer NOT NULL REFERENCES users,
  approver_id integer REFERENCES users,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'paid')),
  total_cents integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE nodes (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent_id integer REFERENCES nodes);
CREATE TABLE order_items (
  order_id integer NOT NULL REFERENCES orders,
  product_id integer NOT NULL REFERENCES products,
  quantity integer NOT NULL,
  unit_price_cents integer NOT NULL,
  PRIMARY KEY (order_id, product_id)
);
`
