// What an order asks of the database: seen through the sandbox, with no change in the application.
import { expect, test } from 'vitest'
import { currentSandbox } from 'vivarium'
import type { OrderRequest } from '../../src/orders/process-order.ts'
import { given } from '../support/factories.ts'
import { openTestShop } from '../support/test-shop.ts'

const { shop } = openTestShop()

async function givenRequestForProducts(count: number): Promise<OrderRequest> {
  const user = await given.insert('user', 'withCard')
  const products = await given.insertList(count, 'product')
  return { userId: user.id, items: products.map(({ id }) => ({ productId: id, quantity: 2 })) }
}

test('an order is one transaction on one connection', async () => {
  // Given a request for a product
  const request = await givenRequestForProducts(1)

  // When it is processed
  const { result, queries } = await currentSandbox().observe(() => shop.orders.processOrder(request))

  // Then it noted the attempt to pay, read user, prices and stock, wrote stock, order and items, and paid
  expect(result.ok).toBe(true)
  expect(queries.map((query) => query.command).join(' ')).toBe(
    'INSERT BEGIN SELECT SELECT SELECT UPDATE INSERT INSERT SELECT UPDATE INSERT UPDATE COMMIT',
  )
  // and all between BEGIN and COMMIT is one transaction, on one connection
  const within = queries.slice(2, -1)
  expect(within[0]?.transaction).toEqual(expect.any(Number))
  expect(new Set(within.map((query) => query.transaction)).size).toBe(1)
  expect(new Set(queries.map((query) => query.connection)).size).toBe(1)
})

test('an order of ten products runs as many queries as an order of one', async () => {
  // Given a request for one product, and one for ten
  const small = await givenRequestForProducts(1)
  const large = await givenRequestForProducts(10)

  // When both are processed
  const ofSmall = await currentSandbox().observe(() => shop.orders.processOrder(small))
  const ofLarge = await currentSandbox().observe(() => shop.orders.processOrder(large))

  // Then both are paid, with the same number of queries
  expect(ofSmall.result).toMatchObject({ ok: true, order: { totalCents: 10_000 } })
  expect(ofLarge.result).toMatchObject({ ok: true, order: { totalCents: 100_000 } })
  expect(ofLarge.queries.length).toBe(ofSmall.queries.length)
})
