/** Tables that have something particular each, for the tests of the engine. */
export const shapes = `
CREATE SCHEMA billing;
CREATE TYPE size AS ENUM ('small', 'medium', 'large');

CREATE TABLE users (
  id bigserial PRIMARY KEY,
  email text NOT NULL UNIQUE,
  full_name text NOT NULL,
  country_code char(2) NOT NULL,
  website_url text NOT NULL,
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT '2024-01-01 00:00:00+00'
);
CREATE TABLE products (id serial PRIMARY KEY, name varchar(20) NOT NULL, price_cents integer NOT NULL CHECK (price_cents > 0), size size);
CREATE TABLE addresses (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), city text NOT NULL);
CREATE TABLE orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users,
  product_id integer NOT NULL REFERENCES products,
  address_id uuid NOT NULL REFERENCES addresses,
  approved_by bigint REFERENCES users,
  total_cents integer NOT NULL,
  total numeric GENERATED ALWAYS AS (total_cents / 100) STORED,
  details jsonb NOT NULL DEFAULT '{}'
);
CREATE TABLE billing.invoices (id serial PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders, due date NOT NULL);
CREATE TABLE sizes (size size PRIMARY KEY, label text NOT NULL);
CREATE TABLE seats (
  id serial PRIMARY KEY,
  product_id integer NOT NULL REFERENCES products,
  row_letter char(1) NOT NULL CHECK (row_letter IN ('A', 'B')),
  is_window boolean NOT NULL,
  CONSTRAINT seats_once UNIQUE (product_id, row_letter, is_window)
);
CREATE TABLE lookups (id integer PRIMARY KEY, code text NOT NULL UNIQUE);
INSERT INTO lookups SELECT n, 'code ' || n FROM generate_series(1, 3) n;

CREATE TABLE hens (id serial PRIMARY KEY, egg_id integer NOT NULL);
CREATE TABLE eggs (id serial PRIMARY KEY, hen_id integer NOT NULL CONSTRAINT laid_by REFERENCES hens);
ALTER TABLE hens ADD CONSTRAINT hatched_from FOREIGN KEY (egg_id) REFERENCES eggs;

CREATE FUNCTION luhn(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = ''79927398713''';
CREATE TABLE cards (id serial PRIMARY KEY, number text NOT NULL, CONSTRAINT number_adds_up CHECK (luhn(number)));
CREATE TABLE impossible (id serial PRIMARY KEY, amount integer NOT NULL CONSTRAINT never CHECK (amount > 5 AND amount < 3));
CREATE TABLE shapeless (id serial PRIMARY KEY, snapshot pg_snapshot NOT NULL);
CREATE TABLE guarded (id serial PRIMARY KEY, name text NOT NULL);
CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'nobody may'; END $$;
CREATE TRIGGER guard BEFORE INSERT ON guarded FOR EACH ROW EXECUTE FUNCTION guard();
CREATE TABLE secret (id serial PRIMARY KEY, owner text NOT NULL);
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
ALTER TABLE secret FORCE ROW LEVEL SECURITY;
CREATE POLICY only_mine ON secret USING (owner = 'me');
CREATE SCHEMA archive;
CREATE TABLE billing.notes (id serial PRIMARY KEY);
CREATE TABLE archive.notes (id serial PRIMARY KEY);
CREATE TABLE billing.users (id serial PRIMARY KEY);
CREATE TABLE employees (id serial PRIMARY KEY, boss_id integer NOT NULL REFERENCES employees);
`
