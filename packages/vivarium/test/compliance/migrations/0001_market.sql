-- What every client's script works on.
create table products (
  id integer generated always as identity primary key,
  sku text not null constraint products_sku_key unique,
  title text not null,
  stock integer not null default 0 constraint products_stock_not_negative check (stock >= 0)
);
insert into products (sku, title, stock) values ('apples', 'Apples', 5), ('bread', 'Bread', 2), ('cheese', 'Cheese', 0);

-- One column for each type that drivers treat in a way of their own.
create table samples (
  id integer primary key,
  at timestamptz not null,
  doc jsonb not null,
  body bytea not null,
  amount numeric(30, 10) not null,
  tags text[] not null,
  big bigint not null,
  token uuid not null
);

-- Each role sees its own rows; the owner of the table sees all.
create table documents (id integer primary key, owner text not null, body text not null);
alter table documents enable row level security;
create policy own_documents on documents using (owner = current_user);

-- Who is on call: at least one must be.
create table doctors (name text primary key, on_call boolean not null);
insert into doctors values ('alice', true), ('bob', true);
