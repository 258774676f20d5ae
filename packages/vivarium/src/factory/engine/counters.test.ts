import { expect, test } from 'vitest'
import { Counters } from './counters.ts'

test('a nested sandbox counts on from its outer one, and leaves it as it was', () => {
  const file = new Counters()
  expect([file.next('users'), file.next('users')]).toEqual([1, 2])
  for (const one of [new Counters(file), new Counters(file)]) {
    expect([one.next('users'), one.next('orders')]).toEqual([3, 1])
  }
  expect(file.next('users')).toBe(3)
})

test('counting can go on behind any number', () => {
  const counters = new Counters(new Counters())
  counters.set('users', 9)
  expect(counters.next('users')).toBe(10)
})
