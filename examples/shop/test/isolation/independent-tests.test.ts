// Every test has a world of its own: what one wrote is not there for the next, and ids begin where they began.
import { describe, expect, test } from 'vitest'
import { given } from '../support/factories.ts'
import { openTestShop } from '../support/test-shop.ts'

const { shop } = openTestShop()

describe.each(['first', 'second', 'third'])('the %s test that fills the shop', () => {
  test('finds it empty, and gets the same ids as the others', async () => {
    // Given a shop in which nobody has done anything
    expect(await shop.catalog.listProducts()).toEqual([])
    expect(await shop.accounts.findUser(1)).toBeUndefined()

    // When a user (whose email may exist only once) orders a product
    const user = await given.insert('user', 'withCard', { email: 'ada@example.com' })
    const teapot = await given.insert('product')
    const result = await shop.orders.processOrder({ userId: user.id, items: [{ productId: teapot.id, quantity: 1 }] })

    // Then each is the first of its kind
    expect([user.id, teapot.id]).toEqual([1, 1])
    expect(result).toMatchObject({ ok: true, order: { id: 1 } })
  })
})

describe('a failing statement', () => {
  test('fails alone: the test goes on', async () => {
    // Given a user
    const user = await given.insert('user', { email: 'ada@example.com' })

    // When another registers with the same email
    const creating = shop.accounts.createUser({ email: 'Ada@Example.com' })

    // Then the database refuses it, and answers the next question
    await expect(creating).rejects.toMatchObject({ cause: { code: '23505', constraint: 'users_email_key' } })
    expect(await shop.accounts.findUser(user.id)).toMatchObject({ email: 'ada@example.com' })
  })
})
