create table products (
  id integer generated always as identity primary key,
  name text not null,
  price_cents integer not null constraint products_price_is_positive check (price_cents > 0)
);

create table inventory (
  product_id integer primary key references products,
  stock integer not null constraint inventory_stock_is_not_negative check (stock >= 0)
);
