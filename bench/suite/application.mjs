import pg from 'pg'

// The generated suite's application: a pool from DATABASE_URL, as applications have it. Copied beside the test files.
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })

export function closeApplication() {
  return pool.end()
}

/** Fourteen statements: a user, a product and its stock, an order in a transaction, and what came of it. */
export async function orderIsPaid(name) {
  const user = await one('insert into users (email, name) values ($1, $2) returning id', [`${name}@example.com`, name])
  const product = await one('insert into products (name, price_cents) values ($1, 500) returning id', [name])
  await pool.query('insert into inventory (product_id, stock) values ($1, 10)', [product.id])
  const before = await one(
    'select p.price_cents, i.stock from products p join inventory i on i.product_id = p.id where p.id = $1',
    [product.id],
  )
  expectEqual(before.stock, 10)

  const order = await placeOrder(user.id, product.id, 2, before.price_cents)

  const after = await one('select stock from inventory where product_id = $1', [product.id])
  expectEqual(after.stock, 8)
  const items = await pool.query('select product_id, quantity from order_items where order_id = $1', [order.id])
  expectEqual(items.rows.length, 1)
  const payment = await one('select amount_cents, status from payments where order_id = $1', [order.id])
  expectEqual(payment.amount_cents, 1000)
  expectEqual(payment.status, 'success')
  const buyer = await one('update users set orders_placed = orders_placed + 1 where id = $1 returning orders_placed', [
    user.id,
  ])
  expectEqual(buyer.orders_placed, 1)
}

async function placeOrder(userId, productId, quantity, priceCents) {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const { rows } = await client.query("insert into orders (user_id, status) values ($1, 'paid') returning id", [
      userId,
    ])
    const order = rows[0]
    await client.query('insert into order_items (order_id, product_id, quantity) values ($1, $2, $3)', [
      order.id,
      productId,
      quantity,
    ])
    await client.query('update inventory set stock = stock - $2 where product_id = $1', [productId, quantity])
    await client.query("insert into payments (order_id, amount_cents, status) values ($1, $2, 'success')", [
      order.id,
      priceCents * quantity,
    ])
    await client.query('commit')
    return order
  } finally {
    client.release()
  }
}

async function one(text, values) {
  const { rows } = await pool.query(text, values)
  expectEqual(rows.length, 1)
  return rows[0]
}

function expectEqual(seen, expected) {
  if (seen !== expected) throw new Error(`Expected ${expected}, saw ${seen}`)
}
