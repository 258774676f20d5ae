import { expect, test } from 'vitest'
import { camelCased, singularOf } from './english.ts'

test('the singular is that of the last word', () => {
  const singulars = {
    orders: 'order',
    order_items: 'order_item',
    orderItems: 'orderItem',
    OrderItems: 'OrderItem',
    categories: 'category',
    addresses: 'address',
    boxes: 'box',
    sizes: 'size',
    people: 'person',
    statuses: 'status',
    status: 'status',
    news: 'news',
    series: 'series',
    user_addresses: 'user_address',
    movies: 'movie',
    media: 'media',
    branches: 'branch',
  }
  for (const [plural, singular] of Object.entries(singulars)) expect(singularOf(plural)).toBe(singular)
})

test('a name in camelCase', () => {
  expect(['order_items', 'a_1', '_private', 'userId', 'a__b'].map(camelCased)).toEqual([
    'orderItems',
    'a1',
    '_private',
    'userId',
    'aB',
  ])
})
