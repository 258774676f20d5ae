create table orders (
  id integer generated always as identity primary key,
  user_id integer not null references users,
  status text not null default 'pending' constraint orders_status_is_known check (status in ('pending', 'paid')),
  total_cents integer not null constraint orders_total_is_positive check (total_cents > 0),
  created_at timestamptz not null default now()
);

create index orders_user_id on orders (user_id);

create table order_items (
  order_id integer not null references orders,
  product_id integer not null references products,
  quantity integer not null constraint order_items_quantity_is_positive check (quantity > 0),
  unit_price_cents integer not null constraint order_items_price_is_positive check (unit_price_cents > 0),
  primary key (order_id, product_id)
);

create table payments (
  id integer generated always as identity primary key,
  order_id integer not null references orders,
  -- what the provider really took, which is not for us to assume
  amount_cents integer not null constraint payments_amount_is_positive check (amount_cents > 0),
  status text not null constraint payments_status_is_known check (status in ('success')),
  provider_id text not null constraint payments_provider_id_key unique,
  idempotency_key uuid not null constraint payments_idempotency_key_key unique,
  created_at timestamptz not null default now()
);

create index payments_order_id on payments (order_id);
