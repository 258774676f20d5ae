// The other half of file-fixtures.test.ts: both files write in beforeAll, and whichever runs later finds nothing of the other.
import { beforeAll, expect, test } from 'vitest'
import type { User } from '../../src/accounts/accounts.ts'
import type { Product } from '../../src/catalog/catalog.ts'
import { given } from '../support/factories.ts'
import { openTestShop } from '../support/test-shop.ts'

const { shop } = openTestShop()

let firstUserAtStart: User | undefined
let productsAtStart: Product[]
let user: User

beforeAll(async () => {
  firstUserAtStart = await shop.accounts.findUser(1)
  productsAtStart = await shop.catalog.listProducts()
  user = await given.insert('user')
})

test('a file begins in an empty shop', () => {
  // Given what beforeAll saw before it wrote anything, then it saw nothing
  expect(firstUserAtStart).toBeUndefined()
  expect(productsAtStart).toEqual([])
})

test('a file’s first user has the first id, and can be found', async () => {
  // Given the user that beforeAll created, when a test looks for it, then it is there, as number 1
  expect(await shop.accounts.findUser(user.id)).toMatchObject({ email: user.email })
  expect(user.id).toBe(1)
})
