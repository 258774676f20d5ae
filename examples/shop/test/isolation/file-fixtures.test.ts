// What beforeAll wrote is there for every test of its file; each test takes away only what it wrote itself.
import { beforeAll, expect, test } from 'vitest'
import type { User } from '../../src/accounts/accounts.ts'
import type { Product } from '../../src/catalog/catalog.ts'
import { given } from '../support/factories.ts'
import { openTestShop } from '../support/test-shop.ts'

const { shop } = openTestShop()

let user: User
let teapot: Product

beforeAll(async () => {
  user = await given.insert('user', 'withCard')
  teapot = await given.insert('product', { stock: 10 })
})

test.each(['one test', 'another test'])(
  '%s of the file orders from the stock of 10 that beforeAll put there',
  async () => {
    // Given what beforeAll wrote, untouched by the other test
    expect(await shop.inventory.stockOf(teapot.id)).toBe(10)
    expect(await shop.orders.ordersOf(user.id)).toEqual([])

    // When an order for 2 is processed
    const result = await shop.orders.processOrder({ userId: user.id, items: [{ productId: teapot.id, quantity: 2 }] })

    // Then stock is 8 for this test, and the order is the file's first
    expect(result).toMatchObject({ ok: true, order: { id: 1 } })
    expect(await shop.inventory.stockOf(teapot.id)).toBe(8)
  },
)
