import type { Pool } from 'pg'
import type { PretendCharge } from '../dev/pretend-stripe.ts'
import type { RaceOutcome } from './customers.ts'
import type { StockedProduct } from './stock.ts'

/** One thing that must be true of the books, and what contradicts it. */
export interface BookCheck {
  readonly rule: string
  /** How much was looked at. */
  readonly looked: string
  readonly wrong: readonly string[]
}

export interface CheckBooksOptions {
  readonly database: Pool
  readonly products: readonly StockedProduct[]
  /** What the provider has taken. */
  readonly charges: readonly PretendCharge[]
  readonly outcome: RaceOutcome
}

/** Whether orders, payments, stock, the provider and the customers agree. */
export async function checkBooks({ database, products, charges, outcome }: CheckBooksOptions): Promise<BookCheck[]> {
  const query = async (text: string, params: unknown[] = []): Promise<Record<string, unknown>[]> =>
    (await database.query(text, params)).rows as Record<string, unknown>[]
  const shown = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row))
  const counted = await query(
    'select (select count(*) from orders)::int as orders, (select count(*) from payments)::int as payments',
  )
  const { orders, payments } = counted[0] as { orders: number; payments: number }

  const stock = await query(
    `select product.id, product.stock as initial, inventory.stock, coalesce(sum(item.quantity), 0)::int as sold
     from unnest($1::int[], $2::int[]) as product (id, stock)
     join inventory on inventory.product_id = product.id
     left join order_items item on item.product_id = product.id
     group by product.id, product.stock, inventory.stock
     having inventory.stock < 0 or inventory.stock <> product.stock - coalesce(sum(item.quantity), 0)`,
    [products.map(({ id }) => id), products.map(({ stock: initial }) => initial)],
  )
  const unpaid = await query(
    `select orders.id, orders.status, total_cents, coalesce(sum(amount_cents), 0)::int as paid_cents
     from orders left join payments on payments.order_id = orders.id
     group by orders.id having orders.status <> 'paid' or count(payments.id) <> 1 or sum(amount_cents) is distinct from total_cents`,
  )
  const unordered = await query(
    'select payments.id from payments left join orders on orders.id = payments.order_id where orders.id is null',
  )
  const unsummed = await query(
    `select orders.id, total_cents from orders left join order_items on order_id = orders.id
     group by orders.id having sum(quantity * unit_price_cents) is distinct from total_cents`,
  )

  const kept = charges.filter(({ refunded }) => !refunded)
  const booked = await query('select provider_id, amount_cents from payments')
  const differing = difference(
    kept.map(({ providerId, amountCents }) => `${providerId} of ${amountCents}`),
    booked.map(({ provider_id, amount_cents }) => `${String(provider_id)} of ${String(amount_cents)}`),
  )

  const ids = (await query('select id from orders')).map(({ id }) => id as number)
  const lost = outcome.paid
    .filter((id) => !ids.includes(id))
    .map((id) => `order ${id} was answered as paid and is not there`)
  const surplus = ids.length - outcome.paid.length
  const unexplained =
    surplus > outcome.abandoned ? [`${surplus} orders that nobody was told of, and ${outcome.abandoned} abandoned`] : []

  return [
    {
      rule: 'stock is what there was less what was sold, and never below zero',
      looked: `${products.length} products`,
      wrong: shown(stock),
    },
    { rule: 'every order is paid, once, in full', looked: `${orders} orders`, wrong: shown(unpaid) },
    { rule: 'every payment has its order', looked: `${payments} payments`, wrong: shown(unordered) },
    { rule: 'every total is the sum of its items', looked: `${orders} orders`, wrong: shown(unsummed) },
    {
      rule: 'what the provider has taken and not refunded is what is booked',
      looked: `${kept.length} charges`,
      wrong: differing,
    },
    { rule: 'every order that a customer was told of is there', looked: `${outcome.paid.length} answers`, wrong: lost },
    {
      rule: 'every other order is one whose customer did not wait',
      looked: `${surplus} of ${outcome.abandoned}`,
      wrong: unexplained,
    },
  ]
}

function difference(taken: readonly string[], booked: readonly string[]): string[] {
  const inTaken = new Set(taken)
  const inBooked = new Set(booked)
  return [
    ...taken.filter((one) => !inBooked.has(one)).map((one) => `taken and not booked: ${one}`),
    ...booked.filter((one) => !inTaken.has(one)).map((one) => `booked and not taken: ${one}`),
  ]
}
