-- The books of an order agree whenever a transaction commits: its total is the sum of its items, and a paid
-- order has been paid in full. While a transaction writes the rows one by one they cannot agree yet, so the
-- triggers are deferred to its end.

create function check_order_adds_up(checked_order_id integer) returns void language plpgsql as $$
declare
  checked orders;
  items_cents bigint;
  paid_cents bigint;
begin
  select * into checked from orders where id = checked_order_id;
  if not found then
    return;
  end if;

  select coalesce(sum(quantity::bigint * unit_price_cents), 0) into items_cents
    from order_items where order_id = checked.id;
  if items_cents <> checked.total_cents then
    raise exception 'order % has a total of % cents and items of % cents', checked.id, checked.total_cents, items_cents
      using errcode = 'check_violation', table = 'orders', constraint = 'orders_total_is_sum_of_items';
  end if;

  select coalesce(sum(amount_cents), 0) into paid_cents
    from payments where order_id = checked.id and status = 'success';
  if paid_cents <> (case checked.status when 'paid' then checked.total_cents else 0 end) then
    raise exception 'order % of % cents is % and has payments of % cents',
      checked.id, checked.total_cents, checked.status, paid_cents
      using errcode = 'check_violation', table = 'orders', constraint = 'orders_paid_is_paid_in_full';
  end if;
end
$$;

create function check_changed_order() returns trigger language plpgsql as $$
begin
  perform check_order_adds_up(new.id);
  return null;
end
$$;

create function check_order_of_changed_row() returns trigger language plpgsql as $$
begin
  if tg_op <> 'INSERT' then
    perform check_order_adds_up(old.order_id);
  end if;
  if tg_op <> 'DELETE' then
    perform check_order_adds_up(new.order_id);
  end if;
  return null;
end
$$;

create constraint trigger orders_add_up after insert or update on orders
  deferrable initially deferred for each row execute function check_changed_order();

create constraint trigger order_items_add_up after insert or update or delete on order_items
  deferrable initially deferred for each row execute function check_order_of_changed_row();

create constraint trigger payments_add_up after insert or update or delete on payments
  deferrable initially deferred for each row execute function check_order_of_changed_row();
